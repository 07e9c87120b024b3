"""The programs as a user meets them: flags, one line, a status."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infogan_jax.commands import program

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "tensorflow_datasets", "grain", "torch")
CONFIGS = {
    "syntax.py": "def get_config(:\n",
    "nothing.py": "x = 1\n",
    "plain.py": "def get_config():\n    return {'name': 'x'}\n",
    "raises.py": "def get_config():\n    raise KeyError('seed')\n",
}
RUN = (
    f"--config={ROOT}/configs/digits.py:smoke",
    "--workdir=run",
    "--config.networks.generator=fc 8x8x1 sigmoid",
    "--config.networks.trunk=fc 16 lrelu",
    "--config.networks.recognition=fc 8 lrelu",
    "--config.training.steps=600",
    "--config.training.picture_every=600",
    "--config.training.checkpoint_every=600",
)


def command(program, *flags):
    return [sys.executable, str(ROOT / program), *flags]


def call(cwd, program, *flags, env=None):
    return subprocess.run(
        command(program, *flags),
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize(
    "program, flag, words",
    [
        ("train.py", "--confg.seed=1", "confg.seed"),
        ("train.py", "--config.seed=many", "many"),
        ("train.py", "--config=syntax.py", "syntax"),
        ("train.py", "--config=nothing.py", "nothing.py has no get_config; a config"),
        ("train.py", "--config=raises.py", "raises.py, line 2: there is no key 'seed'"),
        ("train.py", "--steps=10", "Did you mean --config.training.steps=10?"),
        ("train.py", "fast", "'fast' is not a flag"),
        ("seeds.py", "--seeds=1", "--seeds (=1) must be at least 2"),
        ("seeds.py", "--success=good", "METRIC>=NUMBER"),
        ("train.py", "--config.objective.noise_sd=nan", "objective.noise_sd (=nan)"),
        ("train.py", "--workdir=file/run", "(=file/run) cannot be written"),
        ("eval.py", "--workdir=none", "(=none) has no readable config.json"),
        ("train.py", "--workdir=gs://bucket/run", "mount the store"),
        ("eval.py", "--workdir=gs://bucket/run", "mount the store"),
        ("train.py", "--workdir=", "--workdir (=) is empty; name a directory"),
        ("seeds.py", "--workdir=", "--workdir (=) is empty; name a directory"),
        ("train.py", "--config=", "--config (=) is empty; name an experiment"),
        ("train.py", "--config.trainin.steps=1", "no field 'trainin'. Did you mean"),
        ("eval.py", "--encode=", "--workdir is missing"),
        ("train.py", "--config.sed=1", "no field 'sed'. Did you mean \"seed\""),
        ("train.py", "--config.data.q=1", "no field 'q'. docs/config.md has every"),
        ("train.py", "--config=none.py", "(=none.py) must be a file, or one of celeba"),
        ("train.py", "--config=digit", "(=digit) must be a file, or one of celeba"),
        ("train.py", "--config=__init__", "must be a file, or one of celeba"),
        ("train.py", "--config=a/none.py", "none.py"),
        ("train.py", "--config=plain.py", "gives a dict"),
        (
            "train.py",
            f"--config={ROOT}/configs/digits.py:fast",
            "the mode must be one of default, labels, classes, smoke",
        ),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(tmp_path, program, flag, words):
    for name, text in {**CONFIGS, "file": ""}.items():
        (tmp_path / name).write_text(text)
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    done = call(tmp_path, program, flag)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{program}: ")
    assert words in line
    assert "Traceback" not in line
    after = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


@pytest.mark.parametrize(
    "text, mode, words",
    [
        ("def get_config(:", [], "c.py, line 1: invalid syntax; a config file must"),
        ("import no_such_thing", [], "c.py, line 1: No module named 'no_such_thing'"),
        (
            "def get_config(mode):\n    pass",
            [],
            "c.py: get_config() missing 1 required",
        ),
        (
            "def get_config():\n    x = {}\n    return x['a']\n",
            [],
            "c.py, line 3: there is no key 'a'; a config file must define get_config()",
        ),
        (
            "from ml_collections import ConfigDict\n"
            "def get_config():\n    return ConfigDict({'a': 1}).b\n",
            [],
            "c.py, line 3: there is no key 'b'",
        ),
        ("def get_config():\n    return int('x')", [], "c.py, line 2: invalid literal"),
        ("def get_config():\n    raise OSError", [], "c.py, line 2: OSError"),
        (
            "def get_config(mode):\n    raise ValueError(f'{mode} is no mode; try a')",
            ["b"],
            "b is no mode; try a",
        ),
        ("def get_config():\n    return 1", [], ""),
    ],
)
def test_the_mistake_of_a_config_file_is_told_with_its_place(
    tmp_path, monkeypatch, text, mode, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.py").write_text(text)
    told = program._mistake_in("c.py", mode)
    assert told.startswith(words) and bool(told) == bool(words)
    assert len(told.splitlines()) <= 1
    assert "Error:" not in told


def test_a_platform_that_is_not_there_is_one_line(tmp_path):
    env = os.environ | {"JAX_PLATFORMS": "cuda"}
    flags = f"--config={ROOT}/configs/digits.py:smoke", f"--workdir={tmp_path}/run"
    done = call(tmp_path, "train.py", *flags, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line == (
        "train.py: JAX_PLATFORMS (=cuda) must name platforms of this machine, which "
        "has cpu; set JAX_PLATFORMS=cpu, or unset it."
    )
    assert not list(tmp_path.iterdir())


def test_eval_without_a_directory_says_what_to_name(tmp_path):
    done = call(tmp_path, "eval.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "eval.py: --workdir is missing; name the directory of a run.\n"
    )


@pytest.mark.parametrize("program", ["train.py", "eval.py", "seeds.py"])
def test_help_is_no_error(tmp_path, program):
    done = call(tmp_path, program, "--help")
    assert "--workdir" in done.stdout
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A run that is interrupted, goes on to its end and is evaluated.

    Packages that must not be imported are replaced by ones that write their name
    to the file `heavy` and are not there, as on a machine without them.
    """
    root = tmp_path_factory.mktemp("session")
    for name in HEAVY:
        (root / "stubs" / name).mkdir(parents=True)
        (root / "stubs" / name / "__init__.py").write_text(
            "import os\n"
            "with open(os.environ['HEAVY'], 'a') as file:\n"
            "    file.write(__name__ + '\\n')\n"
            "raise ImportError(__name__)\n"
        )
    (root / "heavy").touch()
    env = os.environ | {"HEAVY": str(root / "heavy"), "PYTHONPATH": str(root / "stubs")}
    first = subprocess.Popen(
        command("train.py", *RUN),
        cwd=root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shown = []
    for line in first.stdout:
        shown.append(line)
        if line.startswith("step "):
            first.send_signal(signal.SIGINT)
            break
    out, err = first.communicate(timeout=300)
    return {
        "root": root,
        "interrupted": (first.returncode, "".join(shown) + out, err),
        "resumed": call(root, "train.py", *RUN, env=env),
        "evaluated": call(root, "eval.py", "--workdir=run", "--quick", env=env),
    }


def test_an_interrupt_saves_and_ends_with_status_130(session):
    status, out, err = session["interrupted"]
    assert status == 130, err
    assert "stopped and saved at step " in out
    assert "done" not in out
    assert "Traceback" not in err


def test_the_same_command_goes_on_with_an_interrupted_run(session):
    saved = session["interrupted"][1].split("saved at step ")[1].split(";")[0]
    resumed = session["resumed"]
    assert resumed.returncode == 0, resumed.stderr
    assert f"goes on from step {saved} in run" in resumed.stdout
    assert "step 600/600" in resumed.stdout
    assert resumed.stderr == ""


def test_a_run_says_where_its_pictures_are_and_how_to_evaluate_it(session):
    last = session["resumed"].stdout.splitlines()[-1]
    assert last == "done. See run/pictures, then: python eval.py --workdir=run"
    assert list((session["root"] / "run" / "pictures").glob("*.png"))


def test_an_evaluation_prints_its_table_and_writes_its_record(session):
    done = session["evaluated"]
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    record = json.loads((session["root"] / "run" / "evaluation.json").read_text())
    assert record["run"]["step"] == 600
    for name in ("accuracy_test", "mi_bound/categorical_0", "jsd_bound"):
        assert name in done.stdout
        assert name in record["metrics"]


@pytest.mark.parametrize("package", HEAVY)
def test_a_run_and_its_evaluation_import_no(session, package):
    assert package not in (session["root"] / "heavy").read_text().split()


@pytest.mark.parametrize("program, limit", [("train.py", 40), ("eval.py", 40)])
def test_a_program_is_short(program, limit):
    assert len((ROOT / program).read_text().splitlines()) < limit


@pytest.mark.parametrize(
    "words, path",
    [
        (["--config=mnist"], "mnist.py"),
        (["--config=mnist:paper"], "mnist.py:paper"),
        (["--config", "mnist"], "mnist.py"),
        (["--config=mnist.py:smoke"], "mnist.py:smoke"),
        (["--config=configs/mnist.py:smoke"], "mnist.py:smoke"),
        (["--config=./configs/mnist.py"], "mnist.py"),
    ],
)
def test_an_experiment_is_found_by_its_name_from_any_folder(
    words, path, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    found = program.find_configs([*words, "--config.seed=1"])
    assert found[-1] == "--config.seed=1"
    assert found[-2].removeprefix("--config=") == f"{program.CONFIGS}/{path}"


def test_a_file_of_one_s_own_comes_before_an_experiment_of_its_name(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist.py").touch()
    assert program.find_configs(["--config=mnist.py"]) == ["--config=mnist.py"]
    assert program.find_configs(["--config=mnist"]) != ["--config=mnist"]


def test_an_interrupt_of_a_command_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    def leave(status):
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with pytest.raises(SystemExit) as caught:
        program._guarded(interrupt)
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip() == "stopped at once."
