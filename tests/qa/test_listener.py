"""The page's socket: the next free port unless one is fixed, one sentence when there is none, and its address."""

import socket

import pytest

from corpus.errors import SettingsError
from qa import listener
from qa.listener import PORTS_TRIED, address_of, listen


def test_listen_takes_the_next_free_port_unless_one_is_fixed(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(listener, "PORT", port)
        with listen("127.0.0.1", None) as found:
            assert port < found.getsockname()[1] < port + PORTS_TRIED
        with pytest.raises(SettingsError, match=f"port {port}"), listen("127.0.0.1", port):
            pass


def test_listen_on_an_address_that_is_not_ours_is_one_sentence():
    with pytest.raises(SettingsError, match="Cannot listen on '192.0.2.1'"), listen("192.0.2.1", 0):
        pass


@pytest.mark.parametrize(
    ("host", "reached", "shown"),
    [("127.0.0.1", "127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1", "0.0.0.0"), ("::", "[::1]", "[::]")],
)
def test_address_of_what_listens_everywhere_is_reached_by_loopback_and_shown_as_given(host, reached, shown):
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
        assert address_of(host, found) == f"http://{reached}:{port}"
        assert address_of(host, found, shown=True) == f"http://{shown}:{port}"
