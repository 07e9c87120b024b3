"""Mutated pictures: none ends the reader, none takes memory without bound.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SECONDS = 300 * float(os.environ.get("TORTURE", "1"))
SEED = os.environ.get("TORTURE_SEED", "0")
MOST_MIB = 2048


def test_no_mutant_ends_the_reader_or_takes_two_gibibytes(tmp_path, capsys):
    here = Path(__file__).parent
    env = os.environ | {"PYTHONPATH": str(here.parents[1]), "PYTHONWARNINGS": "ignore"}
    program = [sys.executable, "-X", "faulthandler", str(here / "fuzz_folder.py")]
    done = subprocess.run(
        [*program, str(SECONDS), SEED, str(tmp_path)],
        env=env | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{counts}")
    assert counts["peak_mib"] < MOST_MIB
    assert min(counts[name] for name in ("read", "unreadable", "refused")) > 0
