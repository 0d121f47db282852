"""The page and the HTTP interface, served: `build_app(byline)` makes the application, `serve(settings)` runs it.

Gradio takes seconds to import, so it is imported inside `build_app`, while another thread opens the library.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from corpus.errors import EmptyCorpusError, LibraryBusyError, QAError
from qa.listener import LOCAL, PORT, address_of, listen
from qa.log_setup import log_at, start_logging

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qa.byline import Byline
    from qa.extra_tab import ExtraTab
    from qa.service import Service
    from qa.settings import Settings

_LOG = logging.getLogger(__name__)
TURN_SECONDS = 10  # how long a starting page waits for a command that has the library
SHUTDOWN_SECONDS = 2  # an open page keeps a connection for as long as it is open; do not wait for it
KEEP_ALIVE_SECONDS = 30  # uvicorn's 5 are less than a person thinks between two questions
TABS = "byline.tabs"  # entry points: functions of the library's folder that make a `qa.extra_tab.ExtraTab`
SAMPLED = "sample-added"  # in the library's folder: a sample that was removed must not come back at the next start


def build_app(byline: Byline, host: str = LOCAL, service: Service | None = None) -> FastAPI:
    """Return the web application over an open library: the page at `/`, the HTTP interface, and the guards of both.

    Args:
        byline: The open library.
        host: Address that will be listened on.
        service: How many may use it at once, and who; the defaults of `qa.service` when None.
    """

    async def build() -> FastAPI:
        from qa.service import Service

        return _build_app(service or Service(byline), host)

    # Outside a running event loop Gradio makes four of its own and never closes them.
    return asyncio.run(build())


def serve(settings: Settings) -> None:
    """Open the library of `settings`, serve it, and return when the process is told to stop.

    Prints the address on stdout once the page answers. An empty library is given the bundled sample first. Other
    processes of the same user are told by the library's lock file where they are served.

    Raises:
        SettingsError: If the host or port cannot be listened on, or others could reach it without signing in.
        LibraryBusyError: If another process has the library.
        QAError: If the library cannot be opened.
    """
    from qa.access import check_exposure
    from qa.service import credentials_of, make_service

    host = settings.host
    check_exposure(host, credentials_of(settings))
    _stop_like_an_interrupt()
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(host, settings.port))
        # Uploads pass through here on their way into the library; nothing of them stays behind.
        os.environ["GRADIO_TEMP_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="byline-"))
        token = secrets.token_urlsafe(32)
        start_logging(settings.log_format, [token, *settings.secrets()])
        # Opening the library waits for files, importing Gradio for the interpreter: side by side they save time.
        opener = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open")
        opening = opener.submit(_open_library, settings, address_of(host, listener), token)
        stack.callback(_close, opening)
        stack.callback(opener.shutdown)  # before the library closes: it may still be warming up
        _import_page()
        byline = opening.result()
        service = make_service(byline, settings, token)
        stack.callback(service.close)  # first of all: a commit in hand is finished, what waits is not begun
        _run(build_app(byline, host, service), listener, host, lambda: opener.submit(_warm_up, byline))


def main(arguments: list[str] | None = None) -> int:
    """Serve as the command line and the environment (`BYLINE_*`) say; return the exit code."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve the page of a library.")
    parser.add_argument("--library", metavar="DIR", help="folder of the library; made when it is not there")
    parser.add_argument("--host", help=f"address to listen on (default: {LOCAL})")
    parser.add_argument("--port", type=int, help=f"port to listen on (default: the first free one from {PORT} up)")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    start_logging()
    try:
        from qa.settings import Settings

        settings = Settings(**given)
        log_at(settings.log)
        serve(settings)
    except QAError as error:
        _LOG.debug("The page ended in an error.", exc_info=error)
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _build_app(service: Service, host: str) -> FastAPI:
    gr = _import_page()
    from fastapi import FastAPI

    from qa.gate import Gate
    from qa.http_fastapi import API_PATHS, make_api
    from qa.metrics_prometheus import Metrics
    from qa.request_log import RequestLog
    from qa.views.guard import MAX_FILE_BYTES, Guard
    from qa.views.page import STYLES, build_page
    from qa.views.visitor import Visitors

    extra = _extra_tabs(service, host)
    metrics = Metrics(service)
    app = FastAPI(title="Byline", docs_url=None, redoc_url=None, openapi_url=None)
    # The last one added is the first one asked.
    app.add_middleware(Visitors)
    app.add_middleware(Gate, access=service.access, api=make_api(service, metrics), api_paths=API_PATHS)
    app.add_middleware(Guard, host=host, hosts=service.hosts)
    app.add_middleware(RequestLog, metrics=metrics)

    gr.mount_gradio_app(
        app,
        build_page(service, extra),
        path="/",
        server_name=host,
        theme=gr.themes.Base(font=["sans-serif"], font_mono=["monospace"]),  # strings: no web font is asked for
        css_paths=[*STYLES, *(tab.style for tab in extra)],
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_FILE_BYTES,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return app


def _extra_tabs(service: Service, host: str) -> list[ExtraTab]:
    """Return the tabs that installed packages bring; others see what these hold only once they signed in."""
    from qa.access import LOOPBACK

    signed_in = service.access.demanded
    alone = host in LOOPBACK and not service.hosts and not signed_in
    return [
        entry.load()(service.byline.folder, shown=alone or signed_in, with_places=alone)
        for entry in entry_points(group=TABS)
    ]


def _import_page() -> ModuleType:
    from qa.views.import_gradio import import_gradio

    gradio = import_gradio()
    import_module("qa.views.page")
    return gradio


def _open_library(settings: Settings, address: str, token: str) -> Byline:
    import qa
    from qa.audit import AuditLog

    byline = _wait_for_turn(lambda: qa.open(settings=settings), settings.library)
    try:
        byline.index.announce(address, token)
        byline.on_change = AuditLog(byline.folder).note
        _add_sample(byline)
    except BaseException:
        byline.close()
        raise
    return byline


def _wait_for_turn(open_it: Callable[[], Byline], folder: Path) -> Byline:
    """Open the library, waiting for a command that has it now, since most are done in a second or two."""
    from index.owner import read_owner

    patience = time.monotonic() + TURN_SECONDS
    while True:
        try:
            return open_it()
        except LibraryBusyError as error:
            owner = read_owner(folder)
            if owner is not None and owner.address is not None and owner.pid != os.getpid():
                raise LibraryBusyError(
                    f"The library {str(folder)!r} is served already, at {owner.address} by process {owner.pid}. "
                    "Use that one, or name another library with --library."
                ) from error
            if time.monotonic() > patience:
                raise
        time.sleep(0.1)


def _add_sample(byline: Byline) -> None:
    from corpus.load import bundled_articles

    sampled = byline.folder / SAMPLED
    if sampled.exists() or byline.articles():
        return
    byline.add(bundled_articles())
    sampled.touch()


def _close(opening: Future[Byline]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _stop_like_an_interrupt() -> None:
    # uvicorn raises the signal that stopped it again; by default SIGTERM would then end us with the library open.
    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)


def _warm_up(byline: Byline) -> None:
    # Encoder, reader and vector index load at their first use: let that not be a visitor's first question.
    with contextlib.suppress(EmptyCorpusError):
        byline.ask("What is known?")


def _run(app: FastAPI, listener: socket.socket, host: str, on_ready: Callable[[], object]) -> None:
    import uvicorn

    class AnnouncingServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sys.stdout.write(f"Byline is ready at {address_of(host, listener, shown=True)}\n")
            sys.stdout.flush()
            on_ready()

    config = uvicorn.Config(
        app,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    AnnouncingServer(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
