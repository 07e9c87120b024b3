"""The command says where the page is, and what is wrong before it listens."""

import re
import threading
import urllib.request
from types import SimpleNamespace

import pytest

from infogan_jax.commands import explore as command
from infogan_jax.errors import UserError
from infogan_jax.explorer import exploring, server


def test_the_address_that_is_printed_has_the_page(trained_run, monkeypatch, capsys):
    make, seen = server.make_server, {}

    def answer_once(sockets):
        """Answers on the sockets that `explore` has opened, until the page is read."""
        running = make(seen["app"])
        thread = threading.Thread(target=running.run, kwargs={"sockets": sockets})
        thread.start()
        try:
            seen["printed"] = capsys.readouterr().out
            address = re.match(r"http://\S+", seen["printed"])[0]
            with urllib.request.urlopen(address, timeout=30) as answer:
                seen["page"] = answer.read()
        finally:
            running.should_exit = True
            thread.join(30)

    def keep(app):
        seen["app"] = app
        return SimpleNamespace(run=answer_once)

    monkeypatch.setattr(server, "make_server", keep)
    exploring.explore(trained_run)
    assert re.fullmatch(
        r"http://127\.0\.0\.1:\d+  \(Ctrl-C ends it\)\n", seen["printed"]
    )
    assert b"/page.js" in seen["page"]


def test_ctrl_c_ends_it_quietly(trained_run, monkeypatch):
    def interrupted(sockets):
        raise KeyboardInterrupt

    stopped = SimpleNamespace(run=interrupted)
    monkeypatch.setattr(server, "make_server", lambda _: stopped)
    assert exploring.explore(trained_run) is None


@pytest.mark.parametrize(
    "given, words",
    [
        ({"workdir": None}, "--workdir is missing"),
        ({"workdir": ""}, r"--workdir \(=\) is empty"),
        ({"workdir": "gs://a/b"}, "mount the store"),
        ({"port": -1}, r"--port \(=-1\) must be 0 to 65535"),
        ({"port": 65536}, r"--port \(=65536\) must be 0 to 65535"),
    ],
)
def test_a_mistake_is_named(monkeypatch, tmp_path, given, words):
    values = {"workdir": str(tmp_path), "port": 0, "data": ""} | given
    flags = SimpleNamespace(FLAGS=SimpleNamespace(**values))
    monkeypatch.setattr(command, "flags", flags)
    monkeypatch.setattr(command.program, "flags", flags)
    with pytest.raises(UserError, match=words):
        command.main()


def test_a_directory_without_a_run_is_named(tmp_path):
    with pytest.raises(UserError, match=r"has no readable config\.json"):
        exploring.explore(tmp_path / "none")
    assert not list(tmp_path.iterdir())
