"""The HTTP interface over a real library with the fake encoder and reader."""

import asyncio
import json
import threading
from datetime import date

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from corpus.errors import LibraryDamagedError, ServiceBusyError
from qa.audit import AuditLog
from qa.http_articles_fastapi import read_json
from qa.http_errors_fastapi import JsonError
from qa.http_fastapi import make_api
from qa.metrics_prometheus import Metrics
from qa.service import MAX_UPDATES, Service
from qa.types import StreamEvent
from qa.worker_pool import Limits
from tests.fakes import make_article
from tests.fakes_library import STORM, STRIKE, WaitingReader, open_fake


@pytest.fixture
def service(tmp_path):
    with open_fake(tmp_path / "library", STORM, STRIKE) as byline:
        service = Service(byline)
        yield service
        service.pool.close()


@pytest.fixture
def client(service):
    return TestClient(make_api(service, Metrics(service)), raise_server_exceptions=False)


def events(response):
    assert response.headers["content-type"].startswith("text/event-stream")
    parts = [dict(line.split(": ", 1) for line in part.splitlines()) for part in response.text.strip().split("\n\n")]
    return [(part["event"], json.loads(part["data"])) for part in parts]


def sentence(response, status):
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"] and list(response.json()["error"]) == ["type", "message"]
    message = response.json()["error"]["message"]
    assert message[0].isupper() or ":" in message
    assert "\n" not in message
    return message


def test_ask_is_the_answer_of_the_library(client, service):
    given = client.post("/v1/ask", json={"question": "What did the storm close?"}).json()
    expected = service.byline.ask("What did the storm close?").to_dict()
    assert given | {"timings_ms": 0} == expected | {"timings_ms": 0}
    (citation,) = given["citations"]
    article = client.get(f"/v1/articles/{citation['article_id']}").json()
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize("how", ["header", "field"])
def test_ask_streams_events_that_end_with_the_answer(client, how):
    headers = {"accept": "text/event-stream"} if how == "header" else {}
    body = {"question": "What did the storm close?"} | ({"stream": True} if how == "field" else {})
    response = client.post("/v1/ask", json=body, headers=headers)
    (hits, statement, answer) = events(response)
    assert [hits[0], statement[0], answer[0]] == ["hits", "statement", "answer"]
    assert statement[1]["statement"] == answer[1]["statements"][0]
    assert statement[1]["citations"] == answer[1]["citations"] and hits[1]["hits"]


def test_filters_and_k_reach_the_library(client):
    found = client.post("/v1/search", json={"query": "harbour", "outlet": ["post"], "texts": True}).json()
    assert [hit["article_id"] for hit in found["hits"]] == ["a/strike"]
    assert found["hits"][0]["text"] == STRIKE.text and found["hits"][0]["source"] == "Post"
    assert len(client.post("/v1/search", json={"query": "harbour", "k": 1}).json()["hits"]) == 1
    given = client.post("/v1/ask", json={"question": "harbour?", "article_ids": ["storm"]}).json()
    assert {hit["article_id"] for hit in given["hits"]} == {"storm"}
    assert client.post("/v1/ask", json={"question": "harbour?", "since": "2025-01-01"}).json()["abstained"]


def test_search_gives_what_the_command_line_gives(client, service):
    found = client.post("/v1/search", json={"query": "harbour"}).json()
    assert found == {"query": "harbour", "hits": [hit.to_dict() for hit in service.byline.search("harbour")]}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not valid JSON"),
        (b'{"question": "\\ud800"}', 422, "question"),
        (b"[]", 422, "body"),
        (b'{"question": ""}', 422, "question"),
        (b'{"question": " "}', 422, "empty"),
        (b'{"question": "Who?", "k": 0}', 422, "k:"),
        (b'{"question": "Who?", "k": 101}', 422, "k:"),
        (b'{"question": "Who?", "nonsense": 1}', 422, "nonsense"),
        (b'{"question": "Who?", "since": "yesterday"}', 422, "since"),
        (b'{"question": "Who?", "since": "2025-05-02", "until": "2025-05-01"}', 422, "date range"),
        (b'{"question": "%s"}' % (b"x" * 4001), 422, "4,000"),
        (b'{"question": "%s"}' % (b"x" * 20_001), 422, "question"),
        (b'{"question": "Who?", "history": [{"role": "king", "text": "x"}]}', 422, "history.0.role"),
    ],
)
def test_a_bad_question_is_one_sentence(client, body, status, words):
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert words in sentence(response, status)


def test_a_history_and_a_day_are_handed_on(client, service):
    turns = [{"role": "user", "text": "What did the storm close?"}, {"role": "assistant", "content": "The harbour."}]
    original, seen = service.byline.ask, []

    def ask(question, **options):
        seen.append(options)
        return original(question, **options)

    service.byline.ask = ask
    asked = {"question": "And when?", "history": turns, "as_of": "2030-01-01"}
    answer = client.post("/v1/ask", json=asked).json()
    assert answer["standalone_question"] and "storm" in answer["standalone_question"]
    (options,) = seen
    assert [turn.text for turn in options["history"]] == ["What did the storm close?", "The harbour."]
    assert options["as_of"] == date(2030, 1, 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/ask", 405), ("POST", "/v1/nothing", 404), ("GET", "/v1/articles/nobody", 404)],
)
def test_wrong_addresses_are_sentences_too(client, method, path, status):
    sentence(client.request(method, path), status)


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search", "/v1/articles", "/v1/chat/completions"])
def test_a_body_of_another_type_is_refused(client, path):
    response = client.post(path, content='{"question": "Who?"}', headers={"content-type": "text/plain"})
    assert "Content-Type" in sentence(response, 415) or "multipart" in sentence(response, 415)


def test_an_empty_library_is_a_conflict_and_a_damaged_one_unavailable(client, service):
    service.byline.remove("storm", "a/strike")
    assert "no articles yet" in sentence(client.post("/v1/ask", json={"question": "Who?"}), 409)
    assert "no articles yet" in sentence(client.post("/v1/ask", json={"question": "Who?", "stream": True}), 409)

    def damaged():
        raise LibraryDamagedError("It is broken. Mend it.")

    service.byline.articles = damaged
    for path in ("/healthz", "/v1/articles"):
        assert sentence(client.get(path), 503) == "It is broken. Mend it."


def test_a_mistake_of_ours_shows_no_trace(client, service):
    def broken(*args, **options):
        raise KeyError("/secret/path")

    service.byline.ask = broken
    assert "secret" not in sentence(client.post("/v1/ask", json={"question": "Who?"}), 500)


def test_an_error_in_the_middle_of_a_stream_is_an_event(client, service):
    def stream(question, **options):
        yield StreamEvent("hits")
        raise LibraryDamagedError("It is broken. Mend it.")

    service.byline.stream = stream
    given = events(client.post("/v1/ask", json={"question": "Who?", "stream": True}))
    assert [kind for kind, _ in given] == ["hits", "error"]
    assert given[-1][1]["error"] == {"type": "LibraryDamagedError", "message": "It is broken. Mend it."}


def test_a_stream_of_many_statements_is_sent_in_few_pieces(client, service):
    (_, statement, answer) = service.byline.stream("What did the storm close?")

    def stream(question, **options):
        yield StreamEvent("hits")
        for _ in range(200):
            yield statement
        yield answer

    service.byline.stream = stream
    with client.stream("POST", "/v1/ask", json={"question": "Who?", "stream": True}) as response:
        pieces = list(response.iter_raw())
    assert b"".join(pieces).count(b"event: statement") == 200
    assert len([piece for piece in pieces if piece]) <= MAX_UPDATES


def test_articles_are_listed_added_shown_and_removed(client):
    row = {"id": "fog", "title": "Fog", "text": "Fog came.", "published": "2025-05-06", "source": "Daily"}
    assert client.post("/v1/articles", json=row).json()["added"] == ["fog"]
    assert client.post("/v1/articles", json=[row]).json()["unchanged"] == ["fog"]
    report = client.post("/v1/articles", json={"articles": [row | {"text": "Fog went."}]}).json()
    assert report["updated"] == ["fog"] and list(report) == ["added", "updated", "unchanged", "removed", "failed"]
    listed = client.get("/v1/articles", params={"offset": 2}).json()
    assert listed["total"] == 3 and [info["id"] for info in listed["articles"]] == ["fog"]
    shown = client.get("/v1/articles/fog").json()
    assert shown == listed["articles"][0] | {"text": "Fog went."} and shown["published"] == "2025-05-06"
    assert client.delete("/v1/articles/fog").json() == {"removed": ["fog"]}
    sentence(client.delete("/v1/articles/fog"), 404)


def test_an_id_may_hold_a_slash(client):
    assert client.get("/v1/articles/a/strike").json()["text"] == STRIKE.text
    assert client.get("/v1/articles/a%2Fstrike").json()["id"] == "a/strike"
    assert client.delete("/v1/articles/a/strike").status_code == 200


def test_an_article_without_an_id_is_known_by_its_address_else_by_its_text(client):
    there = {"text": "Fog came.", "title": "Fog", "url": "https://d.example/fog"}
    first = client.post("/v1/articles", json=there).json()["added"]
    assert client.post("/v1/articles", json=there | {"text": "Fog went."}).json()["updated"] == first
    nowhere = {"text": "Hail fell.", "title": "Hail"}
    assert client.post("/v1/articles", json=nowhere).json()["added"]
    assert client.post("/v1/articles", json=nowhere).json()["unchanged"]


def test_uploaded_files_become_articles_and_their_names_no_paths(client, service, tmp_path):
    rows = b'{"id": "r1", "title": "Row", "text": "A row."}\nbroken\n'
    files = [
        ("files", ("../../evil.txt", b"Hail fell on the town.")),
        ("files", ("C:\\x\\page.html", b"<html><body><p>A page of some words.</p></body></html>")),
        ("files", ("rows.jsonl", rows)),
        ("files", ("photo.png", b"\x89PNG\r\n")),
    ]
    before = {path for path in tmp_path.rglob("*") if "chroma" not in path.parts and "lexical" not in path.parts}
    report = client.post("/v1/articles", files=files).json()
    assert len(report["added"]) == 3
    assert [bad["origin"] for bad in report["failed"]] == ["upload:rows.jsonl:2", "upload:photo.png"]
    origins = {origin for info in service.byline.articles() for origin in info.origins}
    assert {"upload:evil.txt", "upload:page.html", "upload:rows.jsonl"} <= origins
    after = {path for path in tmp_path.rglob("*") if "chroma" not in path.parts and "lexical" not in path.parts}
    assert {path.name for path in after - before} <= {"library.sqlite3-wal", "library.sqlite3-shm"}
    again = client.post("/v1/articles", files=[("files", ("evil.txt", b"Hail fell twice on the town."))]).json()
    assert len(again["updated"]) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"text": ""}', 422),
        (b'{"text": "x", "id": true}', 422),
        (b'{"text": "x", "colour": "red"}', 422),
        (b'{"articles": []}', 422),
        (b'{"articles": 7}', 422),
        (b'{"text": "\\ud800"}', 422),
        (b"[" * 100_000, 400),
        (b'{"text": "\xff"}', 400),
        (b'[{"text": "x"}' + b', {"text": "x"}' * 1000 + b"]", 422),
        (b'{"text": "' + b"x" * 10_000_001 + b'"}', 413),
    ],
    ids=range(13),
)
def test_bad_articles_are_one_sentence(client, content, status):
    sentence(client.post("/v1/articles", content=content, headers={"content-type": "application/json"}), status)


def test_no_more_json_is_taken_in_than_may_be():
    taken = []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b" " * 1_000_000, "more_body": True}

    with pytest.raises(JsonError, match="more than 10 MB of JSON"):
        asyncio.run(read_json(Request({"type": "http", "headers": []}, receive)))
    assert len(taken) == 11


def test_an_address_that_is_none_is_no_origin(client, service):
    rows = [
        {"id": "path", "text": "Fog came.", "url": "/library/uploads/story.txt"},
        {"id": "web", "text": "Hail fell.", "url": "HTTPS://d.example/hail"},
    ]
    assert client.post("/v1/articles", json=rows).json()["added"] == ["path", "web"]
    origins = {info.id: info.origins for info in service.byline.articles()}
    assert origins["path"] == ("api",) and origins["web"] == ("HTTPS://d.example/hail",)


def test_an_upload_that_is_none_is_one_sentence(client):
    sentence(client.post("/v1/articles", files=[("other", ("a.txt", b"x"))]), 422)
    kind = {"content-type": "multipart/form-data"}
    sentence(client.post("/v1/articles", content=b"x", headers=kind), 400)


def test_too_many_questions_are_told_when_to_try_again(tmp_path):
    gate = threading.Event()
    with open_fake(tmp_path / "library", STORM, reader=WaitingReader(gate)) as byline:
        service = Service(byline, limits=Limits(workers=1, queue=1, per_client=9))
        client = TestClient(make_api(service, Metrics(service)))
        given = []
        ask = lambda: given.append(client.post("/v1/ask", json={"question": "Storm?"}).status_code)  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        while service.pool.n_running + service.pool.n_waiting < 2:
            threads[0].join(0.01)
        for body in ({"question": "Storm?"}, {"question": "Storm?", "stream": True}):
            refused = client.post("/v1/ask", json=body)
            assert "try again in" in sentence(refused, 429) and int(refused.headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200  # a busy service is a healthy one
        gate.set()
        for thread in threads:
            thread.join(30)
        assert given == [200, 200]
        service.pool.close()
        sentence(client.get("/healthz"), 429)


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/chat/completions"])
def test_a_stream_that_must_make_room_in_a_full_queue_is_told_so_before_it_begins(tmp_path, path):
    gate = threading.Event()
    with open_fake(tmp_path / "library", STORM, reader=WaitingReader(gate)) as byline:
        service = Service(byline, limits=Limits(workers=1, queue=2, per_client=9))
        api, given = make_api(service, Metrics(service)), {}

        def ask(name, address, path, body):
            given[name] = TestClient(api, client=(address, 1)).post(path, json=body)

        def begin(name, address, path, body):
            before = service.pool.n_running + service.pool.n_waiting
            threads.append(threading.Thread(target=ask, args=[name, address, path, body]))
            threads[-1].start()
            while service.pool.n_running + service.pool.n_waiting == before and threads[-1].is_alive():
                threads[-1].join(0.01)

        threads = []
        question, chat = (
            {"question": "Storm?"},
            {"messages": [{"role": "user", "content": "Storm?"}], "model": "byline"},
        )
        begin("running", "127.0.0.2", "/v1/ask", question)
        begin("waiting", "127.0.0.2", "/v1/ask", question | {"stream": True})
        begin("dropped", "127.0.0.2", path, (question if path == "/v1/ask" else chat) | {"stream": True})
        another = threading.Thread(target=ask, args=["another", "127.0.0.3", "/v1/ask", question | {"stream": True}])
        another.start()  # finds the queue full, and less of its own in it
        threads[2].join(30)
        assert "try again in" in sentence(given["dropped"], 429)
        assert int(given["dropped"].headers["retry-after"]) >= 1 and not given.keys() - {"dropped"}
        gate.set()
        for thread in (*threads, another):
            thread.join(30)
        assert given["running"].status_code == 200
        for name in ("waiting", "another"):
            assert [kind for kind, _ in events(given[name])] == ["hits", "statement", "answer"]
        service.pool.close()


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_question_that_waits_when_the_service_shuts_down_is_told_so(tmp_path, stream):
    gate = threading.Event()
    with open_fake(tmp_path / "library", STORM, reader=WaitingReader(gate)) as byline:
        service = Service(byline, limits=Limits(workers=1, queue=2, per_client=9))
        client, given = TestClient(make_api(service, Metrics(service))), []
        service.pool.submit("before", lambda: gate.wait(30))
        ask = lambda: given.append(client.post("/v1/ask", json={"question": "Storm?", "stream": stream}))  # noqa: E731
        thread = threading.Thread(target=ask)
        thread.start()
        while not service.pool.n_waiting:
            thread.join(0.01)
        closing = threading.Thread(target=service.pool.close)
        closing.start()
        thread.join(30)
        assert "shutting down" in sentence(given[0], 429)
        gate.set()
        closing.join(30)


def test_healthz_counts_a_library_once_for_each_change(client, service, monkeypatch):
    counts, listed = [], service.byline.articles
    monkeypatch.setattr(service.byline, "articles", lambda: counts.append(1) or listed())
    assert [client.get("/healthz").json()["articles"] for _ in range(3)] == [2, 2, 2] and len(counts) == 1
    service.byline.remove("storm")
    assert client.get("/healthz").json()["articles"] == 1


def test_metrics_are_prometheus_text(client):
    text = client.get("/metrics").text
    assert "# TYPE byline_jobs_waiting gauge" in text and "byline_jobs_running 0.0" in text


def test_openapi_describes_every_address_and_every_error(client):
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/ask",
        "/v1/search",
        "/v1/articles",
        "/v1/articles/{article_id}",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/byline",
        "/healthz",
        "/metrics",
    }
    assert {"400", "401", "404", "409", "413", "415", "422", "429", "503"} <= set(
        described["paths"]["/v1/ask"]["post"]["responses"]
    )


def test_owner_addresses_are_closed_without_the_token(client, service):
    for header in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer None"}):
        sentence(client.post("/owner/articles", content=b'{"ids": []}', headers=header), 403)
    service.owner_token = "right"
    sentence(client.post("/owner/articles", headers={"authorization": "Bearer wrong"}), 403)
    good = {"authorization": "Bearer right"}
    assert client.post("/owner/articles", content=b'{"ids": []}', headers=good).status_code == 200
    sentence(client.post("/owner/articles", content=b'{"ids": 7}', headers=good), 503)


def test_shutting_down_stops_an_add_after_an_article_that_is_stored(service):
    def incoming():
        for n in range(1000):
            if n == 600:
                service.pool.close()
            yield make_article(f"Fog {n} came.", f"fog{n}")

    service.byline.on_change = AuditLog(service.byline.folder).note
    with pytest.raises(ServiceBusyError, match="shutting down"):
        service.add(incoming(), "tester")
    ids = {info.id for info in service.byline.articles()}
    [line] = (service.byline.folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["action"] == "broken off" and json.loads(line)["who"] == "tester"
    assert set(json.loads(line)["articles"]) == ids - {"storm", "a/strike"}
    assert 2 < len(ids) < 1002
    assert service.byline.search("Fog 0", k=1)  # what was stored can be found


def test_changes_are_written_down_with_who_made_them(client, service):
    service.byline.on_change = AuditLog(service.byline.folder).note
    client.post("/v1/articles", json={"id": "fog", "text": "Fog came."})
    client.post("/v1/articles", json={"id": "fog", "text": "Fog came."})
    client.delete("/v1/articles/fog")
    path = service.byline.folder / "audit.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["who"], line["action"], line["articles"]) for line in lines] == [
        ("testclient", "added", ["fog"]),
        ("testclient", "removed", ["fog"]),
    ]
    assert path.stat().st_mode & 0o777 == 0o600
