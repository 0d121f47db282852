import gzip
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corpus import load_url as module
from corpus.load import load_sources
from corpus.types import Article, LoadFailure

PAGE = (
    "<html><head><title>Ferry</title></head><body><article><p>The café council voted 7 to 2 on Tuesday.</p>"
    "</article></body></html>"
)


@pytest.fixture
def serve(monkeypatch):
    """Serve `{path: (status, headers, body)}` on a loopback port; a body may be a generator of pieces."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    @contextmanager
    def running(answers):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = answers[self.path]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for piece in [body] if isinstance(body, bytes) else body():
                        self.wfile.write(piece)
                except OSError:
                    return  # the client has hung up, as it should

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return running


def load(url):
    (loaded,) = load_sources([url])
    return loaded


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/html; charset=iso-8859-1"}, PAGE.encode("latin-1")),
        ({"Content-Type": "text/html"}, PAGE.encode()),
        ({}, PAGE.encode()),
        ({"Content-Type": "text/plain; charset=utf-8"}, "The café council voted 7 to 2 on Tuesday.".encode()),
        ({"Content-Type": "text/markdown"}, "The *café* council voted 7 to 2 on Tuesday.".encode()),
        ({"Content-Type": "text/html", "Content-Encoding": "gzip"}, gzip.compress(PAGE.encode())),
    ],
    ids=["latin", "html", "untyped", "text", "markdown", "gzip"],
)
def test_load_url_reads(serve, headers, body):
    with serve({"/news/ferry": (200, headers, body)}) as base:
        article = load(f"{base}/news/ferry")
    assert isinstance(article, Article)
    assert article.text == "The café council voted 7 to 2 on Tuesday."
    assert article.origin == article.url == f"{base}/news/ferry"
    assert article.id.startswith("ferry-")


def test_load_url_follows_redirects_and_quotes_odd_addresses(serve):
    answers = {
        "/a": (302, {"Location": "/b%20%C3%A9?x=%C3%A9"}, b""),
        "/b%20%C3%A9?x=%C3%A9": (200, {"Content-Type": "text/plain"}, b"The council voted."),
    }
    with serve(answers) as base:
        assert load(f"{base}/a").text == "The council voted."
        assert load(f"{base}/b é?x=é#part").text == "The council voted."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b"gone"), "404"),
        ((302, {"Location": "/x"}, b""), "302"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "302"),
        ((200, {"Content-Type": "image/png"}, b"\x89PNG"), "neither a page"),
        ((200, {"Content-Type": "text/plain"}, b"  "), "no text"),
        ((200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, b"no gzip"), "damaged"),
        ((200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"0" * 25_000_000)), "larger"),
        ((200, {"Content-Type": "text/plain"}, lambda: (b"x" * 1_000_000 for _ in range(25))), "larger"),
    ],
    ids=["missing", "loop", "file", "image", "empty", "gzip", "bomb", "endless"],
)
def test_load_url_says_why_an_address_is_refused(serve, answer, reason):
    with serve({"/x": answer}) as base:
        failed = load(f"{base}/x")
    assert isinstance(failed, LoadFailure)
    assert reason in failed.reason
    assert failed.reason.endswith(".")


def test_load_url_gives_up_on_a_page_that_drips(serve, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)

    def drip():
        for _ in range(100):
            time.sleep(0.02)
            yield b"x"

    with serve({"/x": (200, {"Content-Type": "text/plain"}, drip)}) as base:
        assert "longer than" in load(f"{base}/x").reason


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "javascript://x",
        "http://[::1",
        "http://127.0.0.1:9/x",
    ],
)
def test_load_url_refuses_other_addresses(url):
    assert isinstance(load(url), LoadFailure)
