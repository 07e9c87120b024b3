"""An installed package trains, with the configs inside, from any folder."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infogan_jax.__main__ import COMMANDS

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
TINY = (
    "--config.networks.generator=fc 8x8x1 sigmoid",
    "--config.networks.trunk=fc 16 lrelu",
    "--config.networks.recognition=fc 8 lrelu",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, installed into a folder of its own without its requirements."""
    place = tmp_path_factory.mktemp("wheel")
    for folder in ("infogan_jax", "configs"):
        hidden = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, place / "source" / folder, ignore=hidden)
    for path in [*ROOT.glob("*.txt"), *map(ROOT.joinpath, BESIDE)]:
        shutil.copy(path, place / "source")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", str(place / "source"), "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *build, "-w", str(place)], check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    target = ["install", str(wheel), "--no-deps", "--target", str(place / "site")]
    subprocess.run([*pip, *target], check=True, capture_output=True)
    return place / "site"


def call(installed, cwd, *words):
    return subprocess.run(
        [sys.executable, str(installed / "bin" / "infogan"), *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_installed_command_trains_and_evaluates_in_an_empty_folder(
    installed, tmp_path
):
    trained = call(installed, tmp_path, "train", "--config=digits:smoke", *TINY)
    assert trained.returncode == 0, trained.stderr
    assert (tmp_path / "runs" / "digits_smoke" / "checkpoints" / "50").is_dir()
    workdir = "--workdir=runs/digits_smoke"
    evaluated = call(installed, tmp_path, "eval", "--quick", workdir)
    assert evaluated.returncode == 0, evaluated.stderr
    assert "accuracy_test" in evaluated.stdout
    assert (tmp_path / "runs/digits_smoke/evaluation/report.html").is_file()


def test_every_experiment_is_inside_and_found_by_its_name(installed, tmp_path):
    inside = {path.name for path in (installed / "infogan_jax" / "configs").iterdir()}
    assert {path.name for path in (ROOT / "configs").glob("*.py")} <= inside
    done = call(installed, tmp_path, "train", "--config=mnist:fast")
    assert done.returncode == 2
    assert done.stderr.startswith("infogan train: ")
    assert "the mode must be one of default, paper, hierarchy" in done.stderr


def test_a_verb_that_there_is_not_is_one_line(installed, tmp_path):
    done = call(installed, tmp_path, "trian")
    assert (done.returncode, done.stdout) == (2, "")
    verbs = ", ".join(COMMANDS)
    said = f"infogan: 'trian' is not a command; take one of {verbs}.\n"
    assert done.stderr == said


def test_the_list_of_packages_has_every_folder():
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"])
    folders = {path.parent for path in (ROOT / "infogan_jax").rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert listed == names | {"infogan_jax.configs"}


def test_every_data_file_is_packaged():
    kinds = PYPROJECT["tool"]["setuptools"]["package-data"]["*"]
    others = {
        f"*{path.suffix}"
        for path in (ROOT / "infogan_jax").rglob("*.*")
        if path.suffix not in (".py", ".pyc") and path.is_file()
    }
    assert others == set(kinds)


def test_the_core_requirements_are_all_that_the_package_imports():
    """What is imported at the top of a module is installed with the package."""
    known = {"PIL": "pillow", "sklearn": "scikit-learn", "orbax": "orbax-checkpoint"}
    known |= {"absl": "absl-py", "tensorflow_datasets": None}
    text = (ROOT / "requirements-core.txt").read_text()
    for path in (ROOT / "infogan_jax").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or node.names[0].name]
                top = names[0].split(".")[0]
                if top in sys.stdlib_module_names or top == "infogan_jax":
                    continue
                required = known.get(top, top)
                assert required is None or f"{required}>" in text, (path, top)
