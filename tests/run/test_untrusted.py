"""A run directory from somebody else is data: it cannot lead out of itself."""

import json
import os

import pytest

from configs import digits
from infogan_jax.errors import UserError
from infogan_jax.fields import DEFAULTS
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
    (tmp_path / "elsewhere" / "diary").touch()
    (known / name).parent.mkdir(exist_ok=True)
    (known / name).symlink_to(tmp_path / "elsewhere")
    before = sorted(known.rglob("*"))
    with pytest.raises(UserError, match=rf"{name} is a link, .* elsewhere; put"):
        run_directory.open_for_training(known, CONFIG).__enter__()
    with pytest.raises(UserError, match="is a link"):
        restore(known)
    assert sorted(known.rglob("*")) == before
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1


def linked_checkpoints(run, target):
    target.mkdir()
    (run / "checkpoints").symlink_to(target)
    return target


def test_checkpoints_may_be_a_link_to_a_directory_of_one_s_own(known, tmp_path):
    target = linked_checkpoints(known, tmp_path / "large_disk")
    for name in ("8", "16.orbax-checkpoint-tmp"):
        (target / name).mkdir()
        with run_directory.open_for_training(known, CONFIG) as workdir:
            assert (workdir / "checkpoints" / name).is_dir()
    (target / "8" / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match="8/link is a link"):
        run_directory.open_for_training(known, CONFIG).__enter__()


def test_checkpoints_may_not_be_a_link_to_somebody_else_s(known, tmp_path, monkeypatch):
    linked_checkpoints(known, tmp_path / "large_disk")
    monkeypatch.setattr(run_directory.os, "getuid", lambda: os.stat(known).st_uid + 1)
    with pytest.raises(UserError, match="checkpoints is a link"):
        run_directory.refuse_links(known)


def test_a_field_that_an_older_version_did_not_record_has_its_default(known):
    path = known / run_directory.CONFIG
    old = json.loads(path.read_text())
    del old["optimiser"]["clip_norm"]
    path.write_text(json.dumps(old))
    assert described(known).flat["optimiser.clip_norm"] == 0
    run_directory.check(known, CONFIG, DEFAULTS)
    clipped = CONFIG | {"optimiser": CONFIG["optimiser"] | {"clip_norm": 1.0}}
    with pytest.raises(UserError, match=r"clip_norm \(recorded 0.0, now 1.0\)"):
        run_directory.check(known, clipped, DEFAULTS)


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
