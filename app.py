"""The page, served: `build_app(byline)` makes the web application, `serve(folder)` opens a library and runs it.

Gradio takes seconds to import, so it is imported inside `build_app`, while another thread opens the library.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from corpus.errors import EmptyCorpusError, QAError, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qa.byline import Byline

_LOG = logging.getLogger(__name__)
LOCAL = "127.0.0.1"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT = 7860  # Gradio's usual port
PORTS_TRIED = 20  # more copies of the page than that on one machine are a mistake, not a wish
SHUTDOWN_SECONDS = 2  # an open page keeps a connection for as long as it is open; do not wait for it
SAMPLED = "sample-added"  # in the library's folder: a sample that was removed must not come back at the next start


def build_app(byline: Byline, host: str = LOCAL) -> FastAPI:
    """Return the web application over an open library: the page at `/`, `/healthz`, and the guard around both."""

    async def build() -> FastAPI:
        return _build_app(byline, host)

    # Outside a running event loop Gradio makes four of its own and never closes them.
    return asyncio.run(build())


def serve(folder: str | Path | None = None, host: str = LOCAL, port: int | None = None) -> None:
    """Open the library in `folder`, serve its page, and return when the process is told to stop.

    Prints the address on stdout once the page answers. An empty library is given the bundled sample first.

    Args:
        folder: Where the library lives; None takes the one the settings name.
        host: Address to listen on.
        port: A taken port is an error; None takes the first free one from 7860 up.

    Raises:
        SettingsError: If the host or port cannot be listened on.
        QAError: If the library cannot be opened.
    """
    if host not in LOOPBACK:
        _LOG.warning("Whoever can reach %s can read and change this library: there is no login yet.", host)
    _stop_like_an_interrupt()
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        # Uploads pass through here on their way into the library; nothing of them stays behind.
        os.environ["GRADIO_TEMP_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="byline-"))
        # Opening the library waits for files, importing Gradio for the interpreter: side by side they save time.
        opener = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open")
        opening = opener.submit(_open_library, folder)
        stack.callback(_close, opening)
        stack.callback(opener.shutdown)  # before the library closes: it may still be warming up
        _import_page()
        byline = opening.result()
        _run(build_app(byline, host), listener, host, lambda: opener.submit(_warm_up, byline))


def main(arguments: list[str] | None = None) -> int:
    """Serve as the command line and the environment (`BYLINE_*`) say; return the exit code."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve the page of a library.")
    parser.add_argument("--library", metavar="DIR", help="folder of the library; made when it is not there")
    parser.add_argument("--host", help=f"address to listen on (default: {LOCAL})")
    parser.add_argument("--port", type=int, help=f"port to listen on (default: the first free one from {PORT} up)")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    try:
        from qa.settings import Settings

        settings = Settings(**given)
        serve(settings.library, settings.host, settings.port)
    except QAError as error:
        _LOG.debug("The page ended in an error.", exc_info=error)
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _build_app(byline: Byline, host: str) -> FastAPI:
    gr = _import_page()
    from fastapi import FastAPI

    from qa.views.guard import MAX_FILE_BYTES, Guard
    from qa.views.page import STYLE, build_page

    # Its documentation pages would load scripts from another host.
    app = FastAPI(title="Byline", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, host=host)

    @app.get("/healthz")
    def healthz() -> dict[str, object]:
        return {"status": "ok", "articles": len(byline.articles())}

    gr.mount_gradio_app(
        app,
        build_page(byline),
        path="/",
        server_name=host,
        theme=gr.themes.Base(font=["sans-serif"], font_mono=["monospace"]),  # strings: no web font is asked for
        css_paths=STYLE,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_FILE_BYTES,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return app


def _import_page() -> ModuleType:
    from qa.views.import_gradio import import_gradio

    gradio = import_gradio()
    import_module("qa.views.page")
    return gradio


def _open_library(folder: str | Path | None) -> Byline:
    import qa

    byline = qa.open(folder)
    try:
        _add_sample(byline)
    except BaseException:
        byline.close()
        raise
    return byline


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


@contextlib.contextmanager
def _listen(host: str, port: int | None) -> Iterator[socket.socket]:
    """Yield a listening socket, so that from here on no other process can take the port."""
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
            name = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"Byline is ready at http://{name}:{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            on_ready()

    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS, ws="none"
    )
    AnnouncingServer(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
