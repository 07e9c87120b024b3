"""A run directory from somebody else is data: it cannot lead out of itself."""

import pytest

from configs import digits
from infogan_jax.errors import UserError
from infogan_jax.restoring import described, restore
from infogan_jax.run import files, run_directory

CONFIG = digits.get_config().to_dict()


@pytest.fixture
def known(tmp_path):
    with run_directory.open_for_training(tmp_path / "run", CONFIG) as workdir:
        return workdir


@pytest.mark.parametrize("name", ["checkpoints", "pictures/samples.png", "stats.jsonl"])
def test_a_link_in_a_run_directory_is_refused_by_training_and_evaluation(
    known, tmp_path, name
):
    (tmp_path / "elsewhere").mkdir()
    (known / name).parent.mkdir(exist_ok=True)
    (known / name).symlink_to(tmp_path / "elsewhere")
    before = sorted(known.rglob("*"))
    with pytest.raises(UserError, match=rf"{name} is a link, .* elsewhere; put"):
        run_directory.open_for_training(known, CONFIG).__enter__()
    with pytest.raises(UserError, match="is a link"):
        restore(known)
    assert sorted(known.rglob("*")) == before
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_directory_may_be_reached_through_a_link(known, tmp_path):
    (tmp_path / "link").symlink_to(known)
    with run_directory.open_for_training(tmp_path / "link", CONFIG) as workdir:
        assert run_directory.read_config(workdir) == CONFIG


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", "../../elsewhere"),
        ("name", "/etc"),
        ("name", "a/b"),
        ("latents", CONFIG["latents"] | {"codes": "../../x=uniform"}),
        ("data", CONFIG["data"] | {"source": "os.system"}),
        ("data", CONFIG["data"] | {"source": "tfds", "name": "../../elsewhere"}),
        ("training", []),
    ],
)
def test_a_tampered_record_is_refused_in_words(known, field, value):
    files.write_json(known / "config.json", CONFIG | {field: value})
    with pytest.raises(UserError, match=r"^(the data of .*)?config\."):
        _ = described(known).dataset
