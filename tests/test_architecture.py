"""The house has floors, and arrows point downward only."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "infogan_jax"
FLOORS = [
    "compilation distributions losses errors images metrics",
    "augment convolutions latents layers stack",
    "objective networks batches data",
    "notation algorithm real_information state streams steps parallel processes encode "
    "classifier traversals collapse memory measures",
    "validation experiment checkpoints run_directory environment pictures record board "
    "reporting stopping training vmapped evaluation replication export figures page",
    "train eval seeds configs command_line",
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
FLAX_IN = {"layers", "stack", "networks", "state"}
VAGUE = {"utils", "util", "common", "core", "helpers", "misc"}
LONGEST_FILE = 230
LONGEST_TRAIN = 60

MODULES = sorted(PACKAGE.rglob("*.py"))
PROGRAMS = [ROOT / "train.py", ROOT / "eval.py", ROOT / "seeds.py"]
CONFIGS = sorted((ROOT / "configs").glob("*.py"))
SOURCES = [*MODULES, *PROGRAMS, *CONFIGS]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```.*?```|`[^`\n]+`|^(?: {4}|\t)[^\n]*", re.DOTALL | re.MULTILINE)
PATH = re.compile(
    r"(?<![\w./<-])((?:configs|infogan_jax|docs|scripts|tests)/[\w./*-]*)"
    r"|python[\d.]* ([\w/]+\.py)"
)
LINK = re.compile(r"\]\((?!\w+:|#)<?([^)#\s>]+)")


def by_path(path):
    return str(path.relative_to(ROOT))


def unit(path):
    """The name of a file in the table of floors: a module, a folder or a program."""
    parts = path.relative_to(PACKAGE if path in MODULES else ROOT).parts
    return parts[0].removesuffix(".py")


def imported(source):
    """Dotted names of everything that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(name, source):
    """The imports of a unit that point to a higher floor, or off the table."""
    arrows = []
    for target in imported(source):
        first, *rest = target.split(".")
        if first == "infogan_jax":
            first = rest[0] if rest else "infogan_jax"
        elif first not in ("train", "eval", "configs"):
            continue
        if FLOOR.get(first, len(FLOORS)) > FLOOR[name]:
            arrows.append(target)
    return arrows


def parameters(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (
                argument.arg
                for argument in ast.walk(node.args)
                if isinstance(argument, ast.arg)
            )


def paths(text):
    """Paths and programs in the code of a page; `*` stands for anything."""
    for span in CODE.findall(text):
        for path, program in PATH.findall(span):
            yield program or path.rstrip("./")


def missing_paths(text):
    return [path for path in paths(text) if not any(ROOT.glob(path))]


def broken_links(page, text):
    for target in LINK.findall(text):
        if not (page.parent / target).exists():
            yield target


@pytest.mark.parametrize("path", SOURCES, ids=by_path)
def test_a_file_imports_from_its_own_floor_and_those_below(path):
    if path == PACKAGE / "__init__.py":
        assert not list(imported(path.read_text()))
        return
    assert unit(path) in FLOOR, "every module has a floor"
    assert not upward(unit(path), path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "from infogan_jax import experiment",
        "from infogan_jax.experiment import build",
        "import infogan_jax.experiment",
        "def f():\n    from infogan_jax.experiment import build",
        "from infogan_jax import unheard_of",
        "import infogan_jax",
        "from configs import digits",
    ],
)
def test_an_upward_arrow_is_seen(source):
    assert upward("steps", source)
    assert not upward("steps", "import jax\nfrom infogan_jax.state import create")


def test_every_name_in_the_table_exists():
    assert {unit(path) for path in SOURCES} - {"__init__"} == FLOOR.keys()


@pytest.mark.parametrize("path", CONFIGS, ids=by_path)
def test_a_config_imports_ml_collections_only(path):
    tops = {name.split(".")[0] for name in imported(path.read_text())}
    assert tops <= {"ml_collections"}


def test_flax_is_confined_to_networks_and_state():
    users = {
        unit(path)
        for path in SOURCES
        if any(name.split(".")[0] == "flax" for name in imported(path.read_text()))
    }
    assert users == FLAX_IN


@pytest.mark.parametrize("path", SOURCES, ids=by_path)
def test_nothing_has_a_name_that_says_nothing(path):
    assert not VAGUE & {part.removesuffix(".py") for part in path.parts[1:]}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if FLOOR.get(unit(path), 9) <= 3], ids=by_path
)
def test_the_config_stops_at_the_fourth_floor(path):
    assert "config" not in parameters(path.read_text())


def test_a_parameter_is_seen_wherever_it_stands():
    source = "def f(a, /, b, *c, d, **e): return lambda g: g"
    assert sorted(parameters(source)) == [*"abcdeg"]


EXECUTES = {"eval", "exec", "compile", "__import__"}
UNPICKLES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
READS_PROGRAMS = {"compilation"}
"""From the user's own cache, in which JAX keeps machine code in any case."""


def executes(source):
    """The calls and imports of a source by which data could become a program."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in EXECUTES:
            yield node.func.id
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if getattr(node.value, "value", True) is not False:
                yield node.arg
    yield from UNPICKLES & {name.split(".")[0] for name in imported(source)}


@pytest.mark.parametrize("path", [*MODULES, *PROGRAMS], ids=by_path)
def test_nothing_that_is_read_can_become_a_program(path):
    allowed = {"pickle"} if unit(path) in READS_PROGRAMS else set()
    assert set(executes(path.read_text())) == allowed


def test_a_way_from_data_to_a_program_is_seen():
    source = "import pickle\neval(x)\nnp.load(f, allow_pickle=True)"
    assert sorted(executes(source)) == ["allow_pickle", "eval", "pickle"]
    assert not list(executes("np.load(f, allow_pickle=False); model.eval()"))


def test_the_story_of_training_is_short():
    tree = ast.parse((PACKAGE / "training.py").read_text())
    [train] = [node for node in tree.body if getattr(node, "name", "") == "train"]
    assert train.end_lineno - train.lineno + 1 < LONGEST_TRAIN


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted((ROOT / "tests").glob("*.py"))], ids=by_path
)
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_a_page_names_paths_that_exist(page):
    text = page.read_text()
    assert not missing_paths(text)
    assert not list(broken_links(page, text))


def test_the_readme_has_commands():
    text = (ROOT / "README.md").read_text()
    assert {"train.py", "eval.py", "configs/digits.py"} <= set(paths(text))


def test_a_path_that_is_not_there_is_seen():
    page = "run `python trian.py --config=configs/none.py:smoke`, not `tests/*.py`"
    assert missing_paths(page) == ["trian.py", "configs/none.py"]
    assert missing_paths("Run\n\n    python trian.py\n") == ["trian.py"]
    text = "[a](docs/none.md) [b](https://a.b/c.md) [c](#part) [d](README.md#part)"
    assert list(broken_links(ROOT / "README.md", text)) == ["docs/none.md"]
