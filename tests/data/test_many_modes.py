"""Sources with many modes: points of Gaussians, and digits in three colours."""

import numpy as np
import pytest

from configs import gaussians as gaussians_config
from configs import stacked as stacked_config
from infogan_jax import experiment
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.sources import catalog, digits, gaussians, stacked, tfds
from infogan_jax.errors import UserError


def test_points_lie_around_their_places_with_the_sd_in_spite_of_bytes():
    dataset = gaussians.load(Request("gaussians", "4"))
    places = np.array(dataset.provenance["places"])
    assert dataset.image_shape == (1, 2, 1) == catalog.SHAPES["gaussians"]
    for split in (dataset.train, dataset.test):
        points = split.images.reshape(-1, 2).astype(float)
        errors = points - places[split.labels]
        assert np.abs(errors.mean(axis=0)).max() < 0.25
        assert errors.std() == pytest.approx(gaussians.SD, rel=0.02)
        assert np.bincount(split.labels).min() > 0.2 * len(points)


def test_the_points_depend_on_the_name_alone():
    names = ("10", "10-0", "10-1", "11")
    one, same, other, more = (gaussians.load(Request("gaussians", n)) for n in names)
    for part in ("train", "test"):
        images = [getattr(each, part).images for each in (one, same, other, more)]
        np.testing.assert_array_equal(images[0], images[1])
        assert len({image.tobytes() for image in images}) == 3
    assert len(more.provenance["places"]) == 11


@pytest.mark.parametrize("name", ["", "0", "ten", "10-", "1000", "10-1-2"])
def test_another_name_of_gaussians_is_refused(name):
    with pytest.raises(UserError, match="must be a number of Gaussians.*'10'"):
        gaussians.load(Request("gaussians", name))


def test_a_stacked_image_has_the_digit_of_each_colour():
    dataset, base = stacked.load(Request("stacked")), digits.load()
    known = {
        part: {
            image.tobytes(): label
            for image, label in zip(split.images, split.labels, strict=True)
        }
        for part, split in (("train", base.train), ("test", base.test))
    }
    assert dataset.image_shape == (8, 8, 3)
    for part in ("train", "test"):
        split = getattr(dataset, part)
        for row in range(0, len(split.images), 500):
            for colour in range(3):
                image = split.images[row, ..., colour, None].tobytes()
                assert known[part][image] == split.factors[row, colour]
    modes = dataset.train.factors @ [100, 10, 1]
    assert np.bincount(modes, minlength=1000).min() > 0


def test_stacked_digits_of_tfds_need_labels_from_0_to_9(monkeypatch):
    base = digits.load()
    monkeypatch.setattr(tfds, "load", lambda request: base)
    same, own = stacked.load(Request("stacked", "x")), stacked.load(Request("stacked"))
    np.testing.assert_array_equal(same.train.images, own.train.images)
    few = Split(base.train.images, base.train.labels % 9)
    monkeypatch.setattr(tfds, "load", lambda _: Dataset(few, base.test, {"name": "x"}))
    with pytest.raises(UserError, match=r"\(='x'\) must have the labels 0 to 9"):
        stacked.load(Request("stacked", "x"))


def test_stacked_digits_are_never_gray():
    with pytest.raises(UserError, match=r"channels \(=1\) must be one of 0, 3"):
        stacked.load(Request("stacked", channels=1))


@pytest.mark.parametrize("file", [gaussians_config, stacked_config])
@pytest.mark.parametrize("mode", ["default", "smoke"])
def test_the_networks_of_a_config_fit_its_images(file, mode):
    config = file.get_config(mode)
    exp = experiment.describe(config.to_dict())
    assert exp.image_shape == exp.dataset.image_shape
    assert (exp.steps < 10) == (mode == "smoke")
    with pytest.raises(ValueError, match="the mode must be one of default, smoke"):
        file.get_config("paper")
