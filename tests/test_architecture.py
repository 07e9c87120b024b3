"""The folders have an order, and imports point down it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "infogan_jax"

ORDER = [
    "infogan_jax.errors",
    "infogan_jax.version",
    "infogan_jax.machine",
    "infogan_jax.model",
    "infogan_jax.data",
    "infogan_jax.data.sources",
    "infogan_jax.game",
    "infogan_jax.game.games",
    "infogan_jax.game.real_information",
    "infogan_jax.run",
    "infogan_jax.analysis.metrics",
    "infogan_jax.analysis.metrics.disentanglement",
    "infogan_jax.analysis",
    "infogan_jax.analysis.report",
    "infogan_jax",  # the stories, and what builds an experiment
    "infogan_jax.several",
    "infogan_jax.trained",
    "infogan_jax.explorer",
    "infogan_jax.commands",
    "infogan_jax.__main__",
    "configs",
]
"""The folders from the ground up; a file imports from its own and those below."""

LINEN_IN = {"infogan_jax/model/layers.py", "infogan_jax/model/networks.py"}
MESH_IN = {"infogan_jax/machine/parallel.py", "infogan_jax/several/one_program.py"}
CONFIG_ENDS_AT = ORDER.index("infogan_jax.run")
VAGUE = {"utils", "util", "common", "core", "helpers", "misc"}

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


def dotted(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def place(module):
    """The place in the order of the folder that a module or a folder belongs to."""
    fitting = [name for name in ORDER if f"{module}.".startswith(f"{name}.")]
    return ORDER.index(max(fitting, key=len)) if fitting else None


def imported(source):
    """Dotted names of everything that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(module, source):
    """The imports of a module that point to a folder above its own."""
    return [
        target
        for target in imported(source)
        if (found := place(target)) is not None and found > place(module)
    ]


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


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_a_file_imports_from_its_own_folder_and_those_below(path):
    assert not upward(dotted(path), path.read_text())


@pytest.mark.parametrize("path", CONFIGS, ids=by_path)
def test_a_config_imports_the_default_config_alone(path):
    tops = {name.rpartition(".")[0] or name for name in imported(path.read_text())}
    assert tops <= {"ml_collections", "infogan_jax.default_config"}


@pytest.mark.parametrize(
    "source",
    [
        "from infogan_jax import experiment",
        "from infogan_jax.experiment import build",
        "import infogan_jax.experiment",
        "def f():\n    from infogan_jax.analysis import encode",
        "from infogan_jax.run.files import write_json",
        "import infogan_jax",
        "from configs import digits",
    ],
)
def test_an_upward_import_is_seen(source):
    assert upward("infogan_jax.game.train_step", source)
    below = "from infogan_jax.model import latents\nimport jax"
    assert not upward("infogan_jax.game.train_step", below)


def test_every_folder_of_code_has_its_place_in_the_order_and_every_place_is_there():
    folders = {dotted(path.parent / "__init__.py") for path in MODULES}
    files = {"errors", "version", "__main__"}
    files = {f"infogan_jax.{file}" for file in files} | {"configs"}
    assert folders | files == set(ORDER)


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in [*MODULES, *CONFIGS]}), ids=by_path
)
def test_a_folder_says_in_one_sentence_what_lives_there(folder):
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert text is not None and text.endswith(".") and "\n" not in text


def test_the_tests_mirror_the_folders():
    folders = {
        path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()
    }
    mirrored = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert folders <= mirrored


def test_flax_linen_is_confined_to_layers_and_networks():
    users = {
        by_path(path)
        for path in SOURCES
        if any(name.startswith("flax.linen") for name in imported(path.read_text()))
    }
    assert users == LINEN_IN


def test_a_mesh_is_known_where_devices_are():
    users = {
        by_path(path)
        for path in SOURCES
        if any(name.startswith("jax.sharding") for name in imported(path.read_text()))
    }
    assert users == MESH_IN


@pytest.mark.parametrize("path", SOURCES, ids=by_path)
def test_nothing_has_a_name_that_says_nothing(path):
    assert not VAGUE & {part.removesuffix(".py") for part in path.parts[1:]}


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if place(dotted(path)) < CONFIG_ENDS_AT],
    ids=by_path,
)
def test_machine_model_data_and_game_are_not_given_a_config(path):
    assert "config" not in parameters(path.read_text())


def test_a_parameter_is_seen_wherever_it_stands():
    source = "def f(a, /, b, *c, d, **e): return lambda g: g"
    assert sorted(parameters(source)) == [*"abcdeg"]


EXECUTES = {"eval", "exec", "compile", "__import__"}
UNPICKLES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


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
    assert not list(executes(path.read_text()))


def test_a_way_from_data_to_a_program_is_seen():
    source = "import pickle\neval(x)\nnp.load(f, allow_pickle=True)"
    assert sorted(executes(source)) == ["allow_pickle", "eval", "pickle"]
    assert not list(executes("np.load(f, allow_pickle=False); model.eval()"))


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


def test_a_config_is_read_without_jax():
    """So that --help and a mistyped flag answer at once."""
    code = (
        "import sys; from configs import mnist; mnist.get_config(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert not {"jax", "flax", "PIL", "tqdm"} & set(done.stdout.split())
    assert "ml_collections" in done.stdout
