"""The main path with name resolution blocked: nothing is looked up, nothing is connected to but loopback."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Loaded by every Python process that is started below, children included, before anything else is imported.
GUARD = """
import os, sys

def _local(host):
    host = host.decode() if isinstance(host, bytes) else host
    return host in (None, "", "localhost", "::1") or str(host).startswith("127.")

def _outward(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return None if _local(args[0]) else args[0]
    if event == "socket.getnameinfo":
        return None if _local(args[0][0]) else args[0][0]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        return None if not isinstance(address, tuple) or _local(address[0]) else address[0]
    return None

def _guard(event, args):
    if event.startswith("socket.") and (host := _outward(event, args)) is not None:
        with open(os.environ["BYLINE_TEST_ATTEMPTS"], "a") as log:
            print(event, host, file=log)
        raise OSError(f"blocked by the test: {event} {host!r}")

sys.addaudithook(_guard)
"""

MAIN_PATH = """
import sys
import qa
from corpus.load import bundled_articles

with qa.open(sys.argv[1]) as byline:
    assert len(byline.add(bundled_articles()).added) == 2
    assert not byline.ask("Who broke the story about the Iraqi being deported to Rwanda?").abstained
    assert byline.ask("What is the capital of Australia?").abstained
print("done")
"""

# Asks as the browser does: an event is queued, its results come as a stream.
PAGE = """
import sys, threading, time
import httpx, uvicorn
import qa
from app import build_app
from corpus.load import bundled_articles

with qa.open(sys.argv[1]) as byline:
    byline.add(bundled_articles())
    server = uvicorn.Server(uvicorn.Config(build_app(byline), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        assert client.get("/").status_code == 200
        events = client.get("/config").json()["dependencies"]
        [asked] = [event for event in events if any(trigger == "submit" for _, trigger in event["targets"])]
        data = ["Who broke the story about the Iraqi being deported to Rwanda?", *[None] * (len(asked["inputs"]) - 1)]
        event = {"data": data, "fn_index": asked["id"], "session_hash": "offline", "event_data": None}
        assert client.post("/gradio_api/queue/join", json=event).status_code == 200
        stream = client.get("/gradio_api/queue/data", params={"session_hash": "offline"}).text
        assert "process_completed" in stream and "Kabas" in stream, stream
    server.should_exit = True
    thread.join()
print("done")
"""


def _environment(tmp_path: Path) -> dict[str, str]:
    """Return the least environment that runs: an empty home, the guard, and no `CI`, which silences telemetry."""
    guard, home = tmp_path / "guard", tmp_path / "home"
    guard.mkdir()
    home.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    places = {"HOME": str(home), "USERPROFILE": str(home), "BYLINE_TEST_ATTEMPTS": str(tmp_path / "attempts.txt")}
    return kept | places | {"PYTHONPATH": os.pathsep.join([str(guard), str(ROOT)])}


def _run(script: str, tmp_path: Path, *tracer: str) -> list[str]:
    """Run the script in a process that cannot look up a name; return its attempts and what it left in the home."""
    environment = _environment(tmp_path)
    command = [*tracer, sys.executable, "-c", script, str(tmp_path / "library")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.stdout.endswith("done\n"), done.stderr
    attempts = tmp_path / "attempts.txt"
    left = [str(path) for path in (tmp_path / "home").rglob("*") if path.is_file()]
    return left + (attempts.read_text().splitlines() if attempts.exists() else [])


def test_main_path_resolves_no_name(tmp_path):
    assert _run(MAIN_PATH, tmp_path) == []


def test_page_resolves_no_name(tmp_path):
    assert _run(PAGE, tmp_path) == []


def test_guard_sees_an_attempt(tmp_path):
    script = "import socket\ntry:\n    socket.getaddrinfo('example.org', 443)\nexcept OSError:\n    print('done')"
    assert _run(script, tmp_path) == ["socket.getaddrinfo example.org"]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_kernel_sees_no_way_out(tmp_path):
    """Native code is out of sight of Python's audit hooks: onnxruntime was once seen to call home."""
    trace = tmp_path / "trace.txt"
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    if subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    assert _run(PAGE, tmp_path, "strace", "-f", "-qq", "-e", calls, "-o", str(trace)) == []
    addresses = re.findall(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"', trace.read_text())
    assert {v4 or v6 for v4, v6 in addresses} <= {"127.0.0.1", "::1"}
