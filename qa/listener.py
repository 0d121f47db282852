"""The socket that the page listens on: at the port that is wished for or the first free one, and its address."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from corpus.errors import SettingsError

LOCAL = "127.0.0.1"
PORT = 7860  # Gradio's usual port
PORTS_TRIED = 20  # more copies of the page than that on one machine are a mistake, not a wish


@contextmanager
def listen(host: str, port: int | None) -> Iterator[socket.socket]:
    """Yield a listening socket, so that from here on no other process can take the port.

    Args:
        host: Address to listen on.
        port: None takes the first free one of `PORTS_TRIED` from `PORT` up.

    Raises:
        SettingsError: If the address is not ours, or no port is free.
    """
    ports = [port] if port is not None else range(PORT, PORT + PORTS_TRIED)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option lets two processes share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and candidate != ports[-1]:
                continue
            reason = error.strerror or str(error)
            place = f"{host!r}, port {candidate}"
            raise SettingsError(f"Cannot listen on {place}: {reason}. Choose another --host or --port.") from error
        with listener:
            yield listener
        return


def address_of(host: str, listener: socket.socket, *, shown: bool = False) -> str:
    """Return the address to reach the listener at; one that listens everywhere is reached by loopback.

    Args:
        host: As it was listened on.
        listener: Knows the port.
        shown: To a person, who is told the host as it was given.
    """
    everywhere = {} if shown else {"0.0.0.0": LOCAL, "::": "::1"}
    name = everywhere.get(host, host)
    return (
        f"http://[{name}]:{listener.getsockname()[1]}" if ":" in name else f"http://{name}:{listener.getsockname()[1]}"
    )
