"""How a run is asked to stop."""

import os
import signal
import socket

import pytest

from infogan_jax.errors import RunFailure
from infogan_jax.machine import processes
from infogan_jax.machine.streams import LastingStream, reader_gone
from infogan_jax.run.signals import STOPPING, StopRequest


@pytest.mark.parametrize(
    "number, status",
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
)
def test_a_stop_is_noted_and_the_old_handlers_come_back(number, status, request):
    ignored = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # by nohup, it may be
    request.addfinalizer(lambda: signal.signal(signal.SIGHUP, ignored))
    before = [signal.getsignal(n) for n in STOPPING]
    with StopRequest() as stop:
        assert (stop.signal, stop.status) == (None, 0)
        assert not stop.stops_here(is_due=True)
        os.kill(os.getpid(), number)
        assert (stop.signal, stop.status) == (number, status)
        assert stop.stops_here(is_due=False), "alone there is nobody to ask"
    assert [signal.getsignal(n) for n in STOPPING] == before


def test_a_closed_terminal_stops_no_run_under_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.signal is None
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture
def unread():
    """A stream into a pipe whose reader has gone."""
    reading, writing = os.pipe()
    with open(writing, "w") as file:
        stream = LastingStream(file)
        assert stream.write("read") == 4
        stream.flush()
        assert os.read(reading, 9) == b"read"
        os.close(reading)
        yield stream
    reader_gone.clear()


def test_a_pipe_that_nobody_reads_stops_a_run_once_something_is_written(unread):
    with StopRequest() as stop:
        assert not stop.stops_here(is_due=True)
        for _ in range(2):  # the second is written nowhere
            unread.write("not read")
            unread.flush()
        assert stop.stops_here(is_due=True)
        assert (stop.signal, stop.status) == (signal.SIGPIPE, 141)


def test_a_broken_connection_stops_no_run():
    ours, other = socket.socketpair()
    other.close()
    with StopRequest() as stop, ours:
        with pytest.raises(BrokenPipeError):
            ours.send(b"to nobody")
        assert not stop.stops_here(is_due=True)


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
