"""What a training run has left in its directory, and whether two runs are the same."""

import json

import chex

from infogan_jax.restoring import restore

TIMING = ("images_per_second", "step_time")


def state_of(workdir):
    return restore(workdir)[1]


def lines_of(workdir):
    lines = (workdir / "stats.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def stats_of(workdir):
    return [
        {name: value for name, value in line.items() if name not in TIMING}
        for line in lines_of(workdir)
    ]


def checkpoint_steps(workdir):
    names = (path.name for path in (workdir / "checkpoints").iterdir())
    return sorted(int(name) for name in names if name.isdigit())


def assert_same_run(one, other):
    chex.assert_trees_all_equal(state_of(one), state_of(other), strict=True)
    assert stats_of(one) == stats_of(other)
