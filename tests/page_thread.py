"""The page served from this process over any byline, for answers that are made up."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

import app


@contextlib.contextmanager
def serving_here(byline, service=None) -> Iterator[str]:
    """Serve the page in a thread, with the service's limits if one is given; yield its address."""
    servers: list[uvicorn.Server] = []
    ready = threading.Event()

    class ReadyServer(uvicorn.Server):
        async def startup(self, sockets=None) -> None:
            await super().startup(sockets)
            ready.set()

    def run(listener: socket.socket) -> None:
        # The application is built here: a thread that drives a browser has a running event loop already.
        config = uvicorn.Config(
            app.build_app(byline, service=service), log_level="error", ws="none", timeout_graceful_shutdown=1
        )
        servers.append(ReadyServer(config))
        servers[0].run(sockets=[listener])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, args=[listener], daemon=True)
        thread.start()
        assert ready.wait(timeout=120)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            servers[0].should_exit = True
            thread.join(timeout=30)
