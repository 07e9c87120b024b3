"""Without a network a download ends at once, in one line."""

import socket
from types import SimpleNamespace

import pytest

from infogan_jax.data.sources import tfds_builder
from infogan_jax.errors import RunFailure

BUILDER = SimpleNamespace(
    url_infos={"https://a.org/x.gz": 0, "http://b.org:81/y": 0, "manual.zip": 0},
    info=SimpleNamespace(full_name="mnist/3.0.1"),
)


@pytest.fixture
def asked(monkeypatch):
    """The addresses that are asked for; b.org does not answer."""
    addresses = []

    def connect(address, timeout):
        assert timeout <= 10
        addresses.append(address)
        if address[0] == "b.org":
            raise TimeoutError("timed out")
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(tfds_builder, "getproxies", dict)
    return addresses


def test_a_host_that_cannot_be_reached_is_named_before_tfds_tries(asked, tmp_path):
    with pytest.raises(RunFailure, match=r"b\.org cannot be reached \(timed"):
        tfds_builder._check_network(BUILDER, tmp_path)
    assert asked == [("a.org", 443), ("b.org", 81)]


def test_files_that_are_there_and_proxies_are_left_to_tfds(
    asked, tmp_path, monkeypatch
):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "x.gz").touch()
    tfds_builder._check_network(BUILDER, tmp_path)
    monkeypatch.setattr(tfds_builder, "getproxies", lambda: {"https": "proxy:1"})
    tfds_builder._check_network(BUILDER, tmp_path / "none")
    assert asked == []
