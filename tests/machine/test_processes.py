"""What the environment says about other processes, and how two get on together."""

import json
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import jax
import numpy as np
import pytest
from two_processes import LIMIT, finish, start

from infogan_jax import evaluation
from infogan_jax.errors import UserError
from infogan_jax.machine import processes

SHARE = """
import json, sys
from pathlib import Path
import numpy as np
from infogan_jax.commands import program
from infogan_jax.machine import parallel, processes
from infogan_jax.run import run_directory

@processes.in_cluster()
def main():
    mesh, order = parallel.make_mesh(16), np.arange(48).reshape(3, 16)
    rows = parallel.local_rows(mesh, 16)
    [shard] = parallel.split_batches(mesh, order[:, rows]).addressable_shards
    copy = parallel.local_copy(parallel.replicate(mesh, order))
    number = processes.max_over_all(3 if processes.is_first() else 5)
    found = rows, shard.index[1].start or 0, shard.data, copy, number
    print(json.dumps([np.asarray(one).tolist() for one in found]))
    with run_directory.open_for_training(place, {"name": "shared"}):
        print("opened", flush=True)
        while True:
            processes.max_over_all(0)

place = Path(sys.argv.pop())
program.run(lambda: None, main)
"""
"""Says what lies where, opens a directory and keeps in step with the other."""


EXPLICIT = dict(zip(processes.VARIABLES, ("10.0.0.1:1234", "4", "3"), strict=True))


@pytest.fixture(autouse=True)
def set_variables(monkeypatch):
    """Sets variables in an environment that names no cluster by itself."""
    for name in (*processes.VARIABLES, *processes.LAUNCHERS, "TPU_WORKER_HOSTNAMES"):
        monkeypatch.delenv(name, raising=False)

    def set_them(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_them


@pytest.mark.parametrize(
    "variables, count",
    [
        ({}, 1),
        (EXPLICIT, 4),
        ({"JAX_NUM_PROCESSES": "1"}, 1),
        ({"JAX_NUM_PROCESSES": "1", "SLURM_STEP_NUM_TASKS": "8"}, 1),
        ({"SLURM_STEP_NUM_TASKS": "8"}, 8),
        ({"SLURM_STEP_NUM_TASKS": "1"}, 1),
        ({"SLURM_STEP_NUM_TASKS": ""}, 1),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, 2),
        ({"TPU_WORKER_HOSTNAMES": "10.0.0.1,10.0.0.2"}, 2),
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, 1),
        (EXPLICIT | {"SLURM_STEP_NUM_TASKS": "8"}, 4),
    ],
)
def test_the_environment_says_how_many_processes_there_are(
    set_variables, variables, count
):
    set_variables(**variables)
    assert processes.count_in_environment() == count


@pytest.mark.parametrize(
    "change",
    [
        {"JAX_COORDINATOR_ADDRESS": ""},
        {"JAX_COORDINATOR_ADDRESS": "10.0.0.1"},
        {"JAX_COORDINATOR_ADDRESS": "10.0.0.1:port"},
        {"JAX_NUM_PROCESSES": ""},
        {"JAX_NUM_PROCESSES": "many"},
        {"JAX_NUM_PROCESSES": "3"},
        {"JAX_PROCESS_ID": ""},
        {"JAX_PROCESS_ID": "-1"},
        {"JAX_PROCESS_ID": "4"},
    ],
)
def test_half_an_environment_is_refused_before_anybody_is_waited_for(
    set_variables, change
):
    set_variables(**EXPLICIT | change)
    [(name, value)] = change.items()
    with pytest.raises(UserError, match=rf"{name} \(={value}\).* set all or none"):
        processes.join_cluster()


def test_a_launcher_that_does_not_say_where_process_0_is_is_refused(set_variables):
    """As Open MPI from version 5 on."""
    set_variables(OMPI_COMM_WORLD_SIZE="2")
    code = "from infogan_jax.machine import processes; processes.join_cluster()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert "UserError: the environment names 2 processes, but JAX cannot join" in last
    assert all(name in last for name in processes.VARIABLES)


def test_a_process_alone_joins_nothing_waits_for_nobody_and_agrees_with_itself():
    code = (
        "import jax\n"
        "from infogan_jax.machine import processes\n"
        "with processes.in_cluster(), processes.all_succeed():\n"
        "    assert processes.max_over_all(3) == 3 and processes.is_first()\n"
        "assert not jax.distributed.is_initialized()\n"
        "jax.config.update('jax_num_cpu_devices', 2)  # no array was made\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60)


def test_an_error_of_a_process_alone_is_left_as_it_is():
    with pytest.raises(ValueError, match="^Gloo$"), processes.in_cluster():
        with processes.all_succeed():
            raise ValueError("Gloo")


def test_an_evaluation_is_refused_where_there_are_several_processes(
    set_variables, tmp_path
):
    set_variables(SLURM_STEP_NUM_TASKS="2")
    with pytest.raises(UserError, match="names 2 processes, but .* runs in one; start"):
        evaluation.evaluate(tmp_path)


@pytest.mark.parametrize(
    "several", [{"SLURM_STEP_NUM_TASKS": "2"}, {"TPU_WORKER_HOSTNAMES": "a,b"}]
)
def test_the_way_out_of_that_refusal_works(set_variables, several):
    set_variables(**several)
    with pytest.raises(UserError, match="start it once, with JAX_NUM_PROCESSES=1"):
        processes.refuse_several()
    set_variables(JAX_NUM_PROCESSES="1", **several)
    processes.refuse_several()


def test_only_an_error_of_jax_is_a_lost_process(monkeypatch):
    monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
    lost = jax.errors.JaxRuntimeError("UNAVAILABLE: heartbeat timed out")
    assert processes.is_lost_process(lost)
    assert processes.is_lost_process(ValueError("UNKNOWN: Gloo AllGather failed: x"))
    assert processes.is_lost_process(ValueError("Gloo context initialization failed"))
    for text in ("UNAVAILABLE: Connection reset", "INTERNAL: a\nncclCommAbort"):
        assert processes.is_lost_process(jax.errors.JaxRuntimeError(text))
    assert not processes.is_lost_process(ValueError("a folder named Gloo"))
    assert not processes.is_lost_process(RuntimeError("UNAVAILABLE: heartbeat"))
    assert not processes.is_lost_process(jax.errors.JaxRuntimeError("out of memory"))


@pytest.mark.parametrize("victim", [0, 1])
def test_each_process_sends_its_own_rows_and_none_outlives_the_other(tmp_path, victim):
    pair = start(SHARE, [], [str(tmp_path)] * 2)
    said = [list(takewhile(lambda line: line != "opened\n", p.stdout)) for p in pair]
    pair[victim].kill()
    other = finish(pair)[1 - victim]
    order = np.arange(48).reshape(3, 16)
    for index, lines in enumerate(said):
        rows, place, shard, copy, number = json.loads(lines[-1])
        assert rows == list(range(8 * index, 8 * index + 8))
        assert place == rows[0]
        np.testing.assert_array_equal(shard, order[:, rows])
        np.testing.assert_array_equal(copy, order)
        assert number == 5
    assert other.status not in (0, None)
    assert other.later < LIMIT
    assert "another" in "".join(other.err)


def test_a_directory_that_is_not_shared_is_refused_by_both(tmp_path):
    places = [str(tmp_path / name) for name in ("here", "there")]
    first, second = finish(start(SHARE, [], places))
    assert (first.status, second.status) == (1, 2)
    [line] = second.err
    assert "name a directory that all processes share" in line
    assert "another process cannot go on" in first.err[0]
    assert not (tmp_path / "there").exists()
