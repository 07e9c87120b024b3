"""Animations for slides: one code moves, and nothing else."""

import numpy as np
import pytest
from PIL import Image
from verbs import call

from infogan_jax.analysis.grids import grid
from infogan_jax.errors import UserError
from infogan_jax.model.latents import Code
from infogan_jax.trained import animation


def frames(path):
    with Image.open(path) as picture:
        assert picture.is_animated and picture.info["loop"] == 0
        for place in range(picture.n_frames):
            picture.seek(place)
            yield np.asarray(picture.convert("RGB"))[..., :1]


def test_there_and_back_over_the_traversal_of_every_continuous_code(
    model, trained_run, tmp_path, capsys
):
    call(f"infogan gif --workdir={trained_run} --out={tmp_path} --format=webp")
    continuous = [code.name for code in model.codes if not code.is_categorical]
    names = [f"{name}.webp" for name in continuous]
    assert capsys.readouterr().out == "".join(
        f"wrote {tmp_path}/{name}\n" for name in names
    )
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    rows = model.traverse("uniform_1", rows=10, steps=24)
    there = [grid(rows[:, step], 5, smallest=64) for step in range(24)]
    shown = list(frames(tmp_path / "uniform_1.webp"))
    assert len(shown) == 46
    np.testing.assert_array_equal(shown, there + there[-2:0:-1])


def test_an_angle_goes_once_around_and_its_last_image_is_not_shown_twice():
    rows = np.random.default_rng(0).integers(0, 256, (10, 5, 64, 64, 1), np.uint8)
    shown = [np.asarray(f) for f in animation.frames(Code("turn", "angle"), rows)]
    expected = [grid(rows[:, step], 5)[..., 0] for step in range(4)]
    np.testing.assert_array_equal(shown, expected)


def test_a_gif_of_gray_images_is_exact(model, trained_run, tmp_path):
    call(f"infogan gif --workdir={trained_run} --out={tmp_path} --codes=categorical_0")
    shown = list(frames(tmp_path / "categorical_0.gif"))
    rows = model.traverse("categorical_0", rows=10)
    expected = [grid(rows[:, k], 5, smallest=64) for k in range(10)]
    np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--format=mp4", "--format (=mp4) must be one of gif, webp"),
        ("--codes=width", "'width' is no code of this run; its codes: categorical_0"),
    ],
)
def test_a_mistake_is_named(trained_run, tmp_path, flags, words):
    with pytest.raises(UserError) as caught:
        call(f"infogan gif --workdir={trained_run} --out={tmp_path} {flags}")
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())
