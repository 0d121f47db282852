"""A GGUF file served by llama.cpp on loopback, in this process, for as long as its `GgufServer` is held."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import xllamacpp

from corpus.errors import ReaderUnavailableError

_SILENT = 0  # of its verbosity levels


@dataclass(frozen=True, slots=True)
class GgufServer:
    """A running server.

    Args:
        address: Of the server, e.g. `http://127.0.0.1:36961`.
        key: What it wants as a bearer token, so that no other program on this machine uses it.
        server: Stops when it is let go.
    """

    address: str
    key: str
    server: object


def start_server(path: Path, *, context_tokens: int, threads: int) -> GgufServer:
    """Load the file and serve it on a free port of 127.0.0.1.

    Args:
        path: Of the GGUF file.
        context_tokens: Size of the one context.
        threads: Threads that compute; more than there are idle cores make it many times slower.

    Raises:
        ReaderUnavailableError: If llama.cpp cannot load it.
    """
    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = context_tokens
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = _SILENT
    params.ui = False
    params.offline = True
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ReaderUnavailableError(
            f"The model file {str(path)!r} cannot be loaded: is it a whole GGUF file?"
        ) from error
    return GgufServer(server.listening_address, key, server)
