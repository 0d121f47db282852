"""The page without a browser: its views as functions, and the guarded web application over a fake library."""

import asyncio
import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

import app
import qa
from corpus.errors import ReaderUnavailableError
from qa.access import Credentials
from qa.keep import read_cases
from qa.service import MAX_UPDATES, Service
from qa.types import StreamEvent
from qa.views import guard
from qa.views.chat import EXAMPLES, MAX_TURNS, Refusal, Turn, ask, keep, render_chat
from qa.views.chat import FORGOTTEN as FORGOTTEN_TURN
from qa.views.evidence import CHANGED, FORGOTTEN, REMOVED, open_citation
from qa.views.library import add_upload, remove_article, render_library, render_outcomes
from qa.worker_pool import Limits
from tests.fakes import make_article
from tests.fakes_page import FakeByline, asked
from tests.page_process import serving

STYLE = Path(app.__file__).parent / "qa" / "views" / "style.css"
RAIN = make_article("Rain fell on Oslo. Mary Lee saw it.", "rain", title="Rain & wind", origin="/tmp/rain.txt")
SNOW = make_article("Snow fell on Oslo. Nobody saw it.", "snow", source="The Daily")


@pytest.fixture
def byline(tmp_path):
    return FakeByline(tmp_path / "library", RAIN, SNOW)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    byline = FakeByline(tmp_path_factory.mktemp("library"), RAIN, SNOW)
    with TestClient(app.build_app(byline), base_url="http://127.0.0.1:7860") as client:
        yield client


def test_ask_streams_hits_then_statements_then_the_answer(byline, monkeypatch):
    monkeypatch.setattr("qa.service.UPDATE_EVERY_S", 0.0)
    shown, original = threading.Semaphore(0), byline._events

    def events(question, filters):
        for event in original(question, filters):
            assert shown.acquire(timeout=30)
            yield event

    byline._events = events
    states = asked(byline, "Who was in Oslo?", on_step=lambda service: shown.release())
    steps = [turns[-1] for turns in states]
    assert [(turn.progress, len(turn.statements), turn.answer is not None) for turn in steps] == [
        ("Searching …", 0, False),
        ("Reading 2 passages from 2 articles …", 0, False),
        ("Reading 2 passages from 2 articles …", 1, False),
        ("Reading 2 passages from 2 articles …", 2, False),
        ("Reading 2 passages from 2 articles …", 2, True),
    ]


def test_ask_is_drawn_anew_a_few_times_only(byline):
    (hits, statement, _, answer) = byline.stream("Who was in Oslo?")
    byline.stream = lambda question, **options: iter([hits, *[statement] * 200, answer])
    states = asked(byline, "Who was in Oslo?")
    assert len(states) <= MAX_UPDATES
    assert len(states[-1][-1].statements) == 200 and states[-1][-1].finished


def test_ask_is_refused_when_the_pool_is_full_and_the_chat_stays_as_it_was(byline):
    full = Limits(workers=1, queue=0, per_client=0)
    (refusal,) = asked(byline, "Who?", limits=full)
    assert refusal == Refusal("You have 0 questions under way already: try again in 1 s.")


def test_ask_that_must_make_room_keeps_its_question_in_the_chat(byline):
    gate, begun = threading.Event(), threading.Event()

    def occupy():
        begun.set()
        assert gate.wait(30)

    async def crowded():
        service = Service(byline, limits=Limits(workers=1, queue=2, per_client=9))
        service.pool.submit("before", occupy)
        assert begun.wait(30)
        service.pool.submit("here", lambda: None)
        states = []
        async for state in ask(service, "here", "Who is Mary?", ()):
            states.append(state)
            if len(states) == 1:
                service.pool.submit("another", lambda: None)
        gate.set()
        assert service.pool.close()
        return states

    (first, last) = asyncio.run(crowded())
    assert first[-1].progress == "Searching …" and not first[-1].finished
    assert last[-1].error.startswith("Byline is busy: try again in ") and last[-1].question == "Who is Mary?"
    assert "Ask again" in render_chat(last, ())


@pytest.mark.parametrize("n_running", [0, 1], ids=["waiting", "running"])
def test_ask_that_is_stopped_leaves_the_pool(byline, n_running):
    gate = threading.Event()

    def waiting(question, **options):
        for _ in range(2):
            yield StreamEvent("hits")
            assert gate.wait(30)
        raise AssertionError("It went on for nobody.")

    async def stopped():
        byline.stream = waiting
        service = Service(byline, limits=Limits(workers=1, queue=2, per_client=9))
        if not n_running:
            service.pool.submit("before", lambda: gate.wait(30))
        states = []

        async def follow():
            async for state in ask(service, "here", "Who is Mary?", ()):
                states.append(state)

        task = asyncio.create_task(follow())
        while len(states) < 1 + n_running:
            await asyncio.sleep(0.01)
        assert service.pool.n_running == 1 and service.pool.n_waiting == 1 - n_running
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert service.pool.n_waiting == 0
        gate.set()
        assert await asyncio.to_thread(service.pool.close) and service.pool.n_running == 0

    asyncio.run(stopped())


def test_ask_numbers_turns_and_forgets_the_oldest(byline):
    turns = tuple(Turn(number, "Old?") for number in range(7, 7 + MAX_TURNS))
    after = asked(byline, "Was Mary there?", turns)[-1]
    assert [turn.number for turn in after] == list(range(8, 8 + MAX_TURNS))


@pytest.mark.parametrize("question", ["", " \n ", "x" * 4001], ids=["empty", "blank", "too long"])
def test_ask_refuses_in_one_sentence(byline, question):
    (refusal,) = asked(byline, question)
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith("The question ")


def test_ask_of_an_empty_library_points_to_the_tab(tmp_path):
    *_, refusal = asked(FakeByline(tmp_path), "Who?")
    assert "Add some in the Library tab" in refusal.reason


def test_ask_shows_an_error_as_its_sentence(byline):
    def fail(question, **options):
        yield from ()
        raise ReaderUnavailableError("The reader <b>x</b> is away. Start it.")

    byline.stream = fail
    *_, turns = asked(byline, "Who?")
    assert turns[-1].error == "The reader <b>x</b> is away. Start it."
    assert '<p class="failed" role="alert">The reader &lt;b&gt;x&lt;/b&gt; is away. Start it.</p>' in render_chat(
        turns, ()
    )


@pytest.mark.parametrize("verdict", ["right", "wrong"])
def test_keep_writes_a_case_and_says_so(byline, verdict):
    byline.folder.mkdir()
    turns = asked(byline, "Nothing here?", asked(byline, "Who is Mary?")[-1])[-1]
    after = keep(byline, turns, 0, verdict)
    [case] = read_cases(byline.folder)
    assert (case["question"], case["verdict"], len(case["given"])) == ("Who is Mary?", verdict, 1)
    assert [turn.kept for turn in after] == [verdict, None]
    html = render_chat(after, ())
    assert html.count("Kept as a case to test by.") == html.count("Keep as a case to test by:") == 1
    assert f'data-turn="0" data-verdict="{verdict}" aria-pressed="true"' in html and html.count('"true"') == 1


def test_keep_tells_why_not(byline):
    turns = asked(byline, "Who is Mary?")[-1]
    assert keep(byline, turns, 7, "right") == Refusal(FORGOTTEN_TURN)
    assert keep(byline, (Turn(0, "Still being asked?"),), 0, "right") == Refusal(FORGOTTEN_TURN)
    refusal = keep(byline, turns, 0, "right")  # the folder was never made
    assert isinstance(refusal, Refusal) and refusal.reason.startswith("The case cannot be written: ")


def test_render_chat_offers_examples_of_articles_that_are_there():
    offered = render_chat((), {"rwanda-two-weeks"})
    for article_id, question in EXAMPLES:
        assert (question in offered) is (article_id == "rwanda-two-weeks")
    assert "example" not in render_chat((), {"mine"})
    assert "Add some in the Library tab" in render_chat((), ())


def test_open_citation_keeps_each_turn_to_its_own_citations(byline):
    turns = asked(byline, "Who is Mary?")[-1]
    turns = asked(byline, "What of Oslo?", turns)[-1]
    assert '<mark class="cited active" data-n="1"><strong>Mary</strong></mark>' in open_citation(byline, turns, 0, 1, 5)
    second = open_citation(byline, turns, 1, 2, 6)
    assert 'data-opened="6"' in second and "Citation 2 of 2" in second
    assert '<mark class="cited active" data-n="2">Snow fell on </mark>' in second


@pytest.mark.parametrize(("turn", "n"), [(9, 1), (0, 9), (-1, 1)])
def test_open_citation_of_an_unknown_number_says_so(byline, turn, n):
    assert FORGOTTEN in open_citation(byline, asked(byline, "Who is Mary?")[-1], turn, n, 1)


def test_open_citation_of_a_removed_article_shows_a_notice_and_no_text(byline):
    turns = asked(byline, "Who is Mary?")[-1]
    byline.remove("rain")
    html = open_citation(byline, turns, 0, 1, 1)
    assert REMOVED in html and "Mary" not in html


def test_open_citation_of_a_changed_article_marks_the_text_that_was_quoted(byline):
    turns = asked(byline, "Who is Mary?")[-1]
    byline.change("rain", "Something else. Rain fell on Oslo. Mary Lee saw it.")
    html = open_citation(byline, turns, 0, 1, 1)
    assert CHANGED in html and "Something else" not in html
    assert '<strong>Mary</strong></mark><mark class="cited active" data-n="1"> Lee saw it.</mark>' in html


def test_add_upload_keeps_the_file_under_its_name_and_replaces_it(byline, tmp_path):
    first, second = tmp_path / "a" / "hail.txt", tmp_path / "b" / "hail.txt"
    for path, text in ((first, "Hail fell."), (second, "Hail fell twice.")):
        path.parent.mkdir()
        path.write_text(text)
    service = Service(byline)
    assert add_upload(service, first, "me").sentence == "added"
    assert add_upload(service, second, "me").sentence == "updated"
    assert byline.article("hail").text == "Hail fell twice."
    assert not first.exists() and not second.exists()
    assert [path.name for path in (byline.folder / "uploads").iterdir()] == ["hail.txt"]


def test_add_upload_says_why_a_file_failed_and_does_not_keep_it(byline, tmp_path):
    photo = tmp_path / "<b>.txt"
    photo.write_bytes(b"\xff\xfe\x00\xd8")
    outcome = add_upload(Service(byline), photo, "me")
    assert outcome.failed
    assert render_outcomes([outcome]) == (
        '<ul class="outcomes" role="status"><li class="failed" dir="auto"><b>&lt;b&gt;.txt</b>'
        " not added. It is not text.</li></ul>"
    )
    assert not list((byline.folder / "uploads").iterdir())


def test_add_upload_that_cannot_be_read_leaves_the_file_of_that_name_that_could(byline, tmp_path):
    for content in (b"Hail fell.", b"\xff\xfe\x00\xd8"):
        upload = tmp_path / "hail.txt"
        upload.write_bytes(content)
        outcome = add_upload(Service(byline), upload, "me")
    assert outcome.failed
    [kept] = (byline.folder / "uploads").iterdir()
    assert kept.read_text() == byline.article("hail").text == "Hail fell."
    assert [path.name for path in byline.folder.iterdir()] == ["uploads"]


def test_add_upload_that_cannot_be_stored_says_why(byline, tmp_path):
    byline.folder.mkdir()
    (byline.folder / "uploads").mkdir()
    outcome = add_upload(Service(byline), tmp_path / "gone.txt", "me")
    assert outcome.failed and "cannot be written: No such file" in outcome.sentence


def test_add_upload_stops_when_the_service_shuts_down(byline, tmp_path):
    upload = tmp_path / "hail.txt"
    upload.write_text("Hail fell.")
    service = Service(byline)
    service.close()
    outcome = add_upload(service, upload, "me")
    assert outcome.failed and "shutting down" in outcome.sentence


def test_remove_article_takes_no_origin_for_a_path(byline, tmp_path):
    upload = tmp_path / "hail.txt"
    upload.write_text("Hail fell.")
    add_upload(Service(byline), upload, "me")
    uploads = byline.folder / "uploads"
    for number, origin in enumerate((f"{uploads}/./hail.txt", f"{uploads}/..", f"{uploads}//hail.txt")):
        byline.put(make_article("Fog.", f"fog{number}", origin=origin))
        assert not remove_article(byline, f"fog{number}").failed
    assert (uploads / "hail.txt").exists()


def test_remove_article_deletes_an_upload_and_leaves_other_files(byline, tmp_path):
    upload, mine = tmp_path / "hail.txt", tmp_path / "mine.txt"
    for path in (upload, mine):
        path.write_text("Hail fell.")
    add_upload(Service(byline), upload, "me")
    byline.add(mine)
    for article_id in ("hail", "mine"):
        assert not remove_article(byline, article_id).failed
    assert mine.exists()
    assert not list((byline.folder / "uploads").iterdir())


def test_remove_article_that_is_gone_says_so(byline):
    outcome = remove_article(byline, "nothing")
    assert outcome.failed and "'nothing'" in outcome.sentence


def test_render_library_counts_and_finds(byline):
    everything = render_library(byline.articles(), "")
    assert "2 articles, 2 passages" in everything and "Rain &amp; wind" in everything
    found = render_library(byline.articles(), "daily SNOW")
    assert "1 shown for “daily SNOW”" in found and "Rain" not in found
    assert "Nothing here yet" in render_library([], "")


def test_render_chat_shows_a_broken_answer_as_an_error_and_keeps_the_others(byline):
    turns = asked(byline, "What of Oslo?", asked(byline, "Who is Mary?")[-1])[-1]
    object.__setattr__(turns[0].answer.citations[0], "quote", "Another quote.")
    html = render_chat(turns, ())
    assert "does not slice back" in html and html.count('class="chip verbatim"') == 2


def test_import_gradio_is_gradio_without_its_stub_writer():
    script = "; ".join(
        (
            "import sys",
            "from qa.views.import_gradio import import_gradio",
            "before = list(sys.meta_path)",
            "gr = import_gradio()",
            "assert sys.meta_path[: len(before)] == before",
            "import gradio.component_meta as meta",
            "assert meta.create_or_modify_pyi.__module__ == 'qa.views.import_gradio'",
            "assert gr is import_gradio() and gr.Button('x').value == 'x' and callable(gr.Button.click)",
        )
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120, cwd=Path(app.__file__).parent)


def test_page_answers_with_security_headers(client):
    response = client.get("/")
    assert response.status_code == 200 and "Byline" in response.text
    for name, value in guard.HEADERS.items():
        assert response.headers[name] == value


def test_page_asks_for_nothing_from_elsewhere(client):
    page, theme = client.get("/").text, client.get("/theme.css").text
    assert "fonts.googleapis" not in page + theme and "@font-face" not in theme
    config = client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []


def test_page_has_no_public_endpoints(client):
    info = client.get("/gradio_api/info").json()
    assert info == {"named_endpoints": {}, "unnamed_endpoints": {}}


@pytest.mark.parametrize("path", [__file__, "/etc/passwd", "../app.py", "http://192.0.2.1/x"])
def test_page_serves_no_files_of_the_machine(client, path):
    for prefix in ("/gradio_api/file=", "/file=", "/gradio_api/proxy=", "/static/"):
        assert client.get(prefix + path, follow_redirects=False).status_code in (400, 403, 404)


def test_healthz_counts_the_articles(client):
    assert client.get("/healthz").json() == {"status": "ok", "articles": 2}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/gradio_api/openapi.json"])
def test_page_has_no_documentation_pages(client, path):
    assert "swagger" not in client.get(path).text.lower()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:7860", 200),
        ("[::1]:7860", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil@127.0.0.1", 421),
        ("127.0.0.1:80@evil.example", 421),
        ("", 421),
    ],
)
def test_guard_answers_to_loopback_names_alone(client, host, status):
    assert client.get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:7860", 404), ("http://127.0.0.1:9", 403), ("https://evil.example", 403), ("null", 403)],
)
def test_guard_takes_no_requests_from_other_sites(client, origin, status):
    assert client.post("/nothing", headers={"origin": origin}).status_code == status


def test_guard_refuses_bodies_that_are_too_large(client, monkeypatch):
    monkeypatch.setattr(guard, "MAX_BODY_BYTES", 1000)
    chunks = (b"x" * 100 for _ in range(100))
    assert client.post("/gradio_api/run/predict", content=b"x" * 1001).status_code == 413
    assert client.post("/gradio_api/run/predict", content=chunks).status_code == 413


def test_guard_lets_uploads_be_larger(client, monkeypatch):
    monkeypatch.setattr(guard, "MAX_BODY_BYTES", 1000)
    uploaded = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x" * 5000)})
    assert uploaded.status_code == 200
    Path(uploaded.json()[0]).unlink()


def test_http_interface_stands_beside_the_page_behind_the_same_guard(client):
    response = client.get("/v1/articles")
    assert response.json()["total"] == 2 and len(response.headers["x-request-id"]) == 16
    for name, value in guard.HEADERS.items():
        assert response.headers[name] == value
    assert client.get("/openapi.json").json()["info"]["title"] == "Byline"
    assert 'route="/v1/articles"' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"host": "evil.example"}, b"{}", 421),
        ({"origin": "https://evil.example"}, b"{}", 403),
        ({"origin": "http://["}, b"{}", 403),
        ({"sec-fetch-site": "cross-site"}, b"{}", 403),
        ({}, b"x" * 1_000_001, 413),
        ({"content-length": "many"}, b"{}", 413),
    ],
)
def test_guard_refuses_programs_in_json(client, headers, content, status):
    refused = client.post("/v1/ask", content=content, headers={"content-type": "application/json", **headers})
    assert refused.status_code == status and set(refused.json()["error"]) == {"type", "message"}


def test_guard_does_not_wait_for_a_body_that_does_not_come(monkeypatch):
    monkeypatch.setattr(guard, "BODY_WITHIN_S", 0.01)
    sent = []

    async def reads(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    async def silent():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/ask", "headers": [(b"host", b"localhost")]}
    asyncio.run(guard.Guard(reads)(scope, silent, send))
    assert sent[0]["status"] == 408


def test_guard_accepts_the_host_it_was_started_with():
    async def hello(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    client = TestClient(guard.Guard(hello, host="192.168.7.7", hosts=("news.example",)))
    for host, status in (("192.168.7.7:7860", 200), ("localhost", 200), ("news.example", 200), ("10.0.0.1", 421)):
        assert client.get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("scheme", ["body", "body.dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "ratio"),
    [
        *[("ink", ground, 7.0) for ground in ("paper", "card", "mark", "accent-soft", "bad-soft")],
        *[("quiet", ground, 4.5) for ground in ("paper", "card")],
        *[("accent", ground, 4.5) for ground in ("paper", "card", "accent-soft")],
        *[("bad", ground, 4.5) for ground in ("paper", "card", "bad-soft")],
        ("ink", "mark-active", 4.5),
        ("on-accent", "accent", 4.5),
        ("edge", "paper", 3.0),
        ("edge", "card", 3.0),
    ],
)
def test_style_keeps_contrast(scheme, ink, ground, ratio):
    block = re.search(rf"^{re.escape(scheme)} {{(.*?)^}}", STYLE.read_text(), re.M | re.S)[1]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    lighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= ratio


def _luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_serve_holds_the_sample_until_it_is_removed(tmp_path):
    with serving(tmp_path) as address:
        assert httpx.get(f"{address}/healthz", trust_env=False).json() == {"status": "ok", "articles": 2}
    with qa.open(tmp_path) as byline:  # the server let go of it
        byline.remove(*(info.id for info in byline.articles()))
    with serving(tmp_path) as address:
        assert httpx.get(f"{address}/healthz", trust_env=False).json() == {"status": "ok", "articles": 0}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--port", "0"], "cannot be the setting 'port'"), (["--host", "192.0.2.1"], "must sign in")],
)
def test_main_says_in_one_sentence_why_it_cannot_serve(arguments, sentence, tmp_path, capsys):
    assert app.main(["--library", str(tmp_path), *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ") and sentence in printed.err and printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "hosts", "token", "shown", "with_places"),
    [
        ("127.0.0.1", (), None, True, True),
        ("127.0.0.1", (), "a-token-of-sixteen", True, False),
        ("127.0.0.1", ("news.example",), None, False, False),  # behind a proxy, which may let anybody through
        ("127.0.0.1", ("news.example",), "a-token-of-sixteen", True, False),
        ("0.0.0.0", (), None, False, False),
        ("0.0.0.0", (), "a-token-of-sixteen", True, False),
    ],
)
def test_evaluation_runs_are_shown_to_those_alone_on_the_machine_and_to_those_who_signed_in(
    tmp_path, monkeypatch, host, hosts, token, shown, with_places
):
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "usual"))
    service = Service(FakeByline(tmp_path / "served"), hosts=hosts, credentials=Credentials(token))
    (tab,) = app._extra_tabs(service, host)
    html = tab.render({})
    assert ("No evaluation has been run" in html, str(tmp_path) in html) == (shown, with_places)
