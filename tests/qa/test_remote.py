"""One library used by two processes: what the owner does for the other, with real processes where it matters."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import uvicorn

from corpus.errors import ArticleNotFoundError, EmptyCorpusError, LibraryBusyError, SettingsError
from corpus.types import LoadFailure
from index.owner import LOCK_NAME, Owner, read_owner
from index.types import AddReport, Filters
from qa.http_fastapi import make_api
from qa.metrics_prometheus import Metrics
from qa.remote_httpx import OwnerGoneError, RemoteByline, _merge, connect_owner
from qa.service import Service
from qa.settings import Settings
from tests.fakes import make_article
from tests.fakes_library import STORM, STRIKE, open_fake
from tests.page_process import serving

ROOT = Path(__file__).parents[2]
QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"


@contextmanager
def run_server(service):
    config = uvicorn.Config(make_api(service, Metrics(service)), port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """Serve a library from this very process."""
    with open_fake(tmp_path_factory.mktemp("owner") / "library", STORM, STRIKE) as byline:
        service = Service(byline, owner_token="secret-token")
        with run_server(service) as address:
            byline.index.announce(address, "secret-token")
            yield byline
        service.pool.close()


@pytest.fixture
def remote(owner):
    with connect_owner(read_owner(owner.folder), Settings(library=owner.folder)) as remote:
        yield remote


def timeless(answer):
    return answer.to_dict() | {"timings_ms": None}


def test_remote_gives_the_very_values_of_the_library(owner, remote):
    filters = Filters(outlets=("Daily",))
    assert timeless(remote.ask("What closed?", filters=filters)) == timeless(owner.ask("What closed?", filters=filters))
    assert remote.search("harbour", k=1) == owner.search("harbour", k=1)
    assert remote.search("harbour", rerank=True) == owner.search("harbour", rerank=True)
    assert remote.articles() == owner.articles()
    assert remote.article("a/strike") == STRIKE
    streamed = list(remote.stream("What closed?"))
    assert [event.kind for event in streamed] == ["hits", "statement", "answer"]
    assert timeless(streamed[-1].answer) == timeless(owner.ask("What closed?"))


def test_remote_adds_and_removes_what_it_loaded_itself(owner, remote, tmp_path):
    steps = []
    new = [make_article(f"Fog {n} came.", f"fog{n}") for n in range(70)] + [LoadFailure("x.png", "No.")]
    report = remote.add_articles(new, on_progress=steps.append)
    assert len(report.added) == 70 and report.failed == (LoadFailure("x.png", "No."),)
    assert [step.done for step in steps] == list(range(1, 72))
    assert remote.add_articles(new[:3]).unchanged == ("fog0", "fog1", "fog2")
    (tmp_path / "hail.txt").write_text("Hail fell.")
    (added,) = remote.add(tmp_path / "hail.txt").added
    assert owner.article(added).origin == str(tmp_path / "hail.txt")
    remote.remove(added, *report.added)
    assert len(owner.articles()) == 2


def test_remote_hands_on_what_else_a_question_comes_with(owner, remote, monkeypatch):
    seen = []
    original = owner.ask

    def ask(question, *, k, filters, **options):
        seen.append(options)
        return original(question, k=k, filters=filters)

    monkeypatch.setattr(owner, "ask", ask)
    turn = {"role": "user", "text": "Who?"}
    remote.ask("And when?", history=(), as_of=None)
    remote.ask("And when?", history=(turn,), as_of=date(2025, 5, 6))
    assert seen == [{}, {"history": [turn], "as_of": date(2025, 5, 6)}]
    with pytest.raises(LibraryBusyError, match="Mirroring a folder"):
        remote.add("articles/", mirror=True)


def test_remote_raises_what_the_library_raises(owner, remote):
    with pytest.raises(ArticleNotFoundError, match="'nobody'"):
        remote.article("nobody")
    for ask in (remote.ask, lambda question: list(remote.stream(question))):
        with pytest.raises(SettingsError, match="question is empty"):
            ask(" ")
    with pytest.raises(SettingsError, match="k must be"):
        remote.ask("Who?", k=0)


def test_remote_tells_an_empty_library(tmp_path):
    with open_fake(tmp_path / "library") as byline:
        service = Service(byline, owner_token="t")
        with run_server(service) as address:
            remote = RemoteByline(Owner(os.getpid(), "", address, "t"), byline.settings)
            with remote, pytest.raises(EmptyCorpusError, match="byline add PATH"):
                remote.ask("Who?")
        service.pool.close()


def test_connect_owner_recognises_who_is_not_the_owner(owner):
    there = read_owner(owner.folder)
    settings = Settings(library=owner.folder)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    for wrong in (
        Owner(there.pid, "", closed, "secret-token"),  # it has gone
        Owner(there.pid + 1, "", there.address, "secret-token"),  # its address, or its number, is another's now
        Owner(there.pid, "", there.address, "other"),
        Owner(there.pid, "", "http://127.0.0.1:notaport", "x"),
    ):
        with pytest.raises(OwnerGoneError):
            connect_owner(wrong, settings)


def test_connect_owner_does_not_wait_for_one_that_hangs(owner, monkeypatch):
    monkeypatch.setattr("qa.remote_httpx._HELLO_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LibraryBusyError, match="does not answer"):
            connect_owner(Owner(1, "", address, "t"), Settings(library=owner.folder))


def test_connect_owner_refuses_settings_that_the_owner_does_not_have(owner):
    connect_owner(read_owner(owner.folder), Settings(library=owner.folder, strictness="balanced", k=3)).close()
    with pytest.raises(LibraryBusyError, match="strictness 'balanced', and here 'strict'"):
        connect_owner(read_owner(owner.folder), Settings(library=owner.folder, strictness="strict"))


def test_merge_reports_two_batches_as_one_run():
    first = AddReport(("a",), ("b",), ("c", "d"), (), (LoadFailure("x", "1"),))
    second = AddReport((), ("a", "c"), ("b",), ("d",), (LoadFailure("y", "2"),))
    assert _merge(first, second) == AddReport(
        ("a",), ("b", "c"), (), ("d",), (LoadFailure("x", "1"), LoadFailure("y", "2"))
    )


def byline(library, *args, **options):
    command = [sys.executable, "-m", "qa", "--library", str(library), *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, **options)


def steady(printed):
    """Return what two runs agree on."""
    if printed.startswith("{"):
        lines = [json.loads(line) for line in printed.splitlines()]
        for line in lines:
            (line.get("answer") if isinstance(line.get("answer"), dict) else line).pop("timings_ms", None)
        return lines
    return printed


def test_commands_print_the_same_through_the_page_as_alone(tmp_path):
    library, story, bad = tmp_path / "library", tmp_path / "story.txt", tmp_path / "bad.pdf"
    story.write_text("The harbour opened again on Monday.\n")
    bad.write_bytes(b"%PDF-1.4 broken")
    batch = tmp_path / "in.jsonl"
    batch.write_text("".join(json.dumps({"id": n, "question": QUESTION}) + "\n" for n in range(3)) + "broken\n")
    commands = [
        ["list", "--json"],
        ["show", "rwanda-two-weeks", "--json"],
        ["ask", QUESTION],
        ["search", "asylum", "--rerank", "--json"],
        ["ask", "--batch", str(batch)],
        ["add", str(story), str(bad)],
        ["show", "nobody"],
    ]
    with serving(library) as address:
        token = read_owner(library).token
        assert token and (library / LOCK_NAME).stat().st_mode & 0o777 == 0o600
        served = [byline(library, *command) for command in commands]
        assert all(token not in done.stdout + done.stderr for done in served)
        second = byline(library, "serve")
        assert second.returncode == 1 and address in second.stderr and second.stderr.count("\n") == 1
        doctor = byline(library, "doctor")
        assert doctor.returncode == 1 and "in use by process" in doctor.stderr
        (added,) = [info["id"] for info in json.loads(byline(library, "list", "--json").stdout)][2:]
        assert byline(library, "remove", added).stdout == "1 removed\n"
    audit = [json.loads(line) for line in (library / "audit.jsonl").read_text().splitlines()]
    assert [(line["who"], line["action"]) for line in audit] == [
        ("page", "added"),
        ("command line", "added"),
        ("command line", "removed"),
    ]
    alone = [byline(library, *command) for command in commands]
    for command, one, other in zip(commands, served, alone, strict=True):
        assert one.returncode == other.returncode, (command, one.stderr)
        assert steady(one.stdout) == steady(other.stdout), command
        assert one.stderr == other.stderr, command


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_owner_leaves_no_stale_lock(tmp_path):
    command = [sys.executable, str(ROOT / "app.py"), "--library", str(tmp_path / "library")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        assert "ready" in page.stdout.readline()
        page.send_signal(signal.SIGKILL)
        page.wait(30)
    assert read_owner(tmp_path / "library").pid == page.pid  # the file still says so
    done = byline(tmp_path / "library", "list")
    assert done.returncode == 0 and "rwanda" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_an_owner_that_hangs_is_one_sentence_in_time(tmp_path):
    command = [sys.executable, str(ROOT / "app.py"), "--library", str(tmp_path / "library")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        assert "ready" in page.stdout.readline()
        page.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            done = byline(tmp_path / "library", "list")
            assert time.monotonic() - started < 60
            assert done.returncode == 1 and done.stderr.count("\n") == 1 and "does not answer" in done.stderr
        finally:
            page.send_signal(signal.SIGCONT)
            page.terminate()


def _start_together(tmp_path, round_):
    """Start page, commands and evals at once on one library; return how the commands ended."""
    library = tmp_path / f"library-{round_}"
    rows = tmp_path / f"rows-{round_}.jsonl"
    texts = [f"Report {n}: the harbour of town {n} opened on day {n}. Nobody was hurt in town {n}." for n in range(20)]
    rows.write_text("".join(json.dumps({"id": f"r{n}", "title": f"Town {n}", "text": text}) + "\n"
                            for n, text in enumerate(texts)))  # fmt: skip
    commands = [["add", str(rows)], ["list"], ["search", "harbour"], ["ask", "Where did the harbour open?"]]
    evals = [sys.executable, "-m", "evals", "keep", "--list", "--library", str(library)]
    pipes = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    assert byline(library, "add", "--sample").returncode == 0  # so that readers have something to read
    started = [subprocess.Popen(evals, **pipes)]
    page = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "--library", str(library)], **pipes)
    started += [
        subprocess.Popen([sys.executable, "-m", "qa", "--library", str(library), *c], **pipes) for c in commands
    ]
    ends = []
    for process in started:
        out, err = process.communicate(timeout=120)  # a hang fails here
        ends.append((process.returncode, err))
    page.send_signal(signal.SIGTERM)
    page.communicate(timeout=60)
    return library, rows, ends


def _check_nothing_lost(library, rows, ends):
    for code, err in ends:
        # A page that takes half a minute to start on a busy machine refuses too, in its own sentence.
        refused = "in use by process" in err or "does not answer" in err
        assert code == 0 or (code == 1 and err.count("\n") == 1 and refused), err
    if ends[1][0] != 0:  # the page, or a reader, had it for longer than `add` waits
        assert byline(library, "add", str(rows)).returncode == 0
    checked = byline(library, "doctor")
    assert checked.returncode == 0, checked.stdout
    assert len(json.loads(byline(library, "list", "--json").stdout)) == 22


def test_page_commands_and_evals_started_together_lose_nothing(tmp_path):
    _check_nothing_lost(*_start_together(tmp_path, 0))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_page_commands_and_evals_started_together_thirty_times_lose_nothing(tmp_path):
    for round_ in range(30):
        _check_nothing_lost(*_start_together(tmp_path, round_))
