"""The images most like a picture, by what the run has learnt."""

import numpy as np
import pytest
from PIL import Image
from verbs import call

from infogan_jax.analysis.nearest import find_nearest
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError

DATA = digits.load()


def test_the_nearest_are_those_of_a_full_search():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(100, 5))
    query = rng.normal(size=5)
    found = find_nearest(query, np.split(features, [0, 7, 50]), 8)
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    distances = 1 - features @ query / lengths
    np.testing.assert_array_equal(found.places, np.argsort(distances)[:8])
    np.testing.assert_allclose(found.distances, np.sort(distances)[:8])
    assert len(find_nearest(query, [features[:3]], 8).places) == 3


def test_the_distance_of_an_image_to_itself_is_0_and_to_its_opposite_2():
    found = find_nearest(np.array([3.0, 4.0]), [np.array([[-3.0, -4.0], [6, 8]])], 2)
    np.testing.assert_array_equal(found.places, [1, 0])
    np.testing.assert_allclose(found.distances, [0, 2], atol=1e-12)


def test_a_picture_of_the_data_is_found_first(trained_run, tmp_path, capsys):
    Image.fromarray(DATA.test.images[5, ..., 0]).save(tmp_path / "a.png")
    out = tmp_path / "found.png"
    flags = f"--workdir={trained_run} --image={tmp_path}/a.png --out={out}"
    assert call(f"infogan nearest {flags} --count=3") == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head == f"nearest of 1797 images to {tmp_path}/a.png, drawn in {out}"
    assert first.split() == ["0.0000", "test", "5"]
    with Image.open(out) as picture:
        drawn = np.asarray(picture)[1:65:8, 1:]
    np.testing.assert_array_equal(drawn[:, :64:8], DATA.test.images[5, ..., 0])
    np.testing.assert_array_equal(drawn[:, 65:129:8], DATA.test.images[5, ..., 0])


def test_a_folder_is_searched_and_its_broken_files_are_counted(
    trained_run, tmp_path, capsys
):
    folder = tmp_path / "folder"
    folder.mkdir()
    for row in range(4):
        Image.fromarray(DATA.test.images[row, ..., 0]).save(folder / f"{row}.png")
    (folder / "0.png").write_bytes(b"broken")
    flags = f"--workdir={trained_run} --image={folder}/2.png --out={tmp_path}/o.png"
    call(f"infogan nearest {flags} --images={folder}")
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert "nearest of 3 images" in head and "1 pictures cannot be read" in head
    assert first.split() == ["0.0000", "2.png"] and len(rest) == 2


@pytest.mark.parametrize(
    "flags, words",
    [
        ("", "--image is missing"),
        ("--image=none.png", "none.png cannot be read"),
        ("--image=none.png --count=0", "--count (=0) must be 1 to 1000"),
        ("--image=none.png --out=a.gif", "--out (=a.gif) must be a file .png"),
    ],
)
def test_a_mistake_is_named(trained_run, flags, words):
    with pytest.raises(UserError) as caught:
        call(f"infogan nearest --workdir={trained_run} {flags}")
    assert words in str(caught.value)
