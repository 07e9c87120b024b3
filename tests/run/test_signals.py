"""How a run is asked to stop."""

import os
import signal

import pytest

from infogan_jax.errors import RunFailure
from infogan_jax.machine import processes
from infogan_jax.run.signals import StopRequest


@pytest.mark.parametrize(
    "number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_stop_is_noted_and_the_old_handlers_come_back(number, status):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest() as stop:
        assert (stop.signal, stop.status) == (None, 0)
        assert not stop.stops_here(is_due=True)
        os.kill(os.getpid(), number)
        assert (stop.signal, stop.status) == (number, status)
        assert stop.stops_here(is_due=False), "alone there is nobody to ask"
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_old_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RunFailure), StopRequest():
        raise RunFailure("x")
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_interrupt_is_python_s_own_so_that_a_notebook_lives_on():
    with StopRequest(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_comes_while_the_processes_compare_theirs_is_kept(monkeypatch):
    def compare(value):
        os.kill(os.getpid(), signal.SIGTERM)
        return value

    monkeypatch.setattr(processes, "max_over_all", compare)
    with StopRequest() as stop:
        assert not stop.stops_here(is_due=True), "the others do not know of it yet"
        assert stop.signal == signal.SIGTERM
