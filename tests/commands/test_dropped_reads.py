"""After a damaged file nobody is told of the reads that orbax has dropped."""

import gc
import sys

import pytest

from infogan_jax.machine import streams

READ = """
class Wait:
    def __await__(self):
        yield

async def read():
    try:
        await Wait()
    finally:
        raise ValueError("dropped")
"""


@pytest.fixture
def heard(monkeypatch):
    """What is told of, in order, once a checkpoint has been read."""
    told = []

    def tell(raised):
        told.append(str(raised.exc_value))

    monkeypatch.setattr(sys, "unraisablehook", tell)
    streams.hide_dropped_reads()
    return told


@pytest.mark.parametrize(
    ("file", "told"), [("/site/orbax/read.py", []), ("/site/mine.py", ["dropped"])]
)
def test_of_coroutines_only_those_of_orbax_are_not_told_of(file, told, heard):
    content = {}
    exec(compile(READ, file, "exec"), content)
    coroutine = content["read"]()
    coroutine.send(None)
    del coroutine
    gc.collect()
    assert heard == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Event loop is closed", []),
        ("'Loop' object has no attribute '_ssock'", []),
        ("other", ["other"]),
    ],
)
def test_of_errors_elsewhere_only_that_of_a_closed_loop_is_not_told_of(
    words, told, heard
):
    class Callback:
        def __del__(self):
            raise RuntimeError(words)

    Callback()
    gc.collect()
    assert heard == told
