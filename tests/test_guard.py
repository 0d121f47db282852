"""The guard around the page, over applications of a few lines; over the real page it is tested in `test_app`."""

import base64
import hashlib
import re

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient

from qa.views.guard import Guard
from qa.views.visitor import COOKIE, Visitors

PAGE = "<html><script>start('é')</script><SCRIPT type='module'>go()</SCRIPT><script src='/x.js'></script></html>"


def guarded(app, **options):
    return TestClient(Guard(app, **options), base_url="http://127.0.0.1:7860")


def scripts(response):
    return re.search("script-src ([^;]*);", response.headers["content-security-policy"])[1].split()


def sha(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:3000", "null"])
def test_guard_lets_no_other_site_read(method, origin):
    async def shares(scope, receive, send):  # as Gradio does, beyond loopback with everybody
        headers = {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
        await PlainTextResponse("titles", headers=headers)(scope, receive, send)

    refused = guarded(shares).request(method, "/config", headers={"origin": origin})
    assert refused.status_code == 403 and "titles" not in refused.text
    assert not any(name.startswith("access-control") for name in refused.headers)
    own = guarded(shares).request(method, "/config", headers={"origin": "http://127.0.0.1:7860"})
    assert own.status_code == 200


def test_guard_lets_only_the_scripts_run_that_are_in_the_page():
    for page in (HTMLResponse(PAGE), StreamingResponse([PAGE[:50], PAGE[50:]], media_type="text/html")):
        shown = guarded(page).get("/")
        assert shown.text == PAGE
        assert scripts(shown) == ["'self'", "'unsafe-eval'", sha("start('é')"), sha("go()")]


def test_guard_lets_no_inline_script_run_elsewhere():
    assert scripts(guarded(PlainTextResponse(PAGE)).get("/x")) == ["'self'", "'unsafe-eval'"]


def test_guard_takes_the_page_uncompressed():
    async def tells(scope, receive, send):
        await PlainTextResponse(str(dict(scope["headers"]).get(b"accept-encoding")))(scope, receive, send)

    client = guarded(tells)
    assert client.get("/").text == "None" and "gzip" in client.get("/config").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gradio_api/queue/join", 200),
        ("/gradio_api/queue/data?session_hash=x", 200),
        ("/gradio_api/run/predict", 200),
        ("/gradio_api/heartbeat/x", 200),
        ("/gradio_api/upload", 200),
        ("/gradio_api/deep_link?session_hash=x", 404),
        ("/gradio_api/file=/tmp/x", 404),
        ("/gradio_api/proxy=http://192.0.2.1/", 404),
        ("/gradio_api/dev/reload", 404),
        ("/gradio_api/vibe-edit/", 404),
        ("/gradio_api/run-history/buckets", 404),
        ("/gradio_api/process_recording", 404),
        ("/gradio_api/queue%2Fjoin", 200),
        ("/gradio_api/heartbeat/../deep_link", 404),
    ],
)
def test_guard_knows_the_addresses_that_the_page_uses(path, status):
    assert guarded(PlainTextResponse("here")).get(path).status_code == status


@pytest.mark.parametrize("length", ["\u00b2", "1" * 5000, "-1", "1 1", ""])
def test_guard_refuses_a_length_that_is_none(length):
    headers = {"content-length": length.encode("latin-1")}
    assert guarded(PlainTextResponse("here")).post("/x", headers=headers).status_code == 413


def test_the_page_with_a_visitors_secret_is_kept_by_no_proxy():
    page = PlainTextResponse("page", headers={"cache-control": "public, max-age=60"})
    shown = TestClient(Visitors(page)).get("/")
    assert COOKIE in shown.cookies and shown.headers["cache-control"] == "private, no-cache"
    other = TestClient(Visitors(page)).get("/assets/x.js")
    assert not other.cookies and other.headers["cache-control"] == "public, max-age=60"
