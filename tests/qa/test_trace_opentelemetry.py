"""Traces of served questions, as a collector gets them."""

import logging
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from llama_index.core.instrumentation import get_dispatcher

import qa
from corpus.errors import LibraryDamagedError
from corpus.load import bundled_articles
from qa.http_fastapi import make_api
from qa.metrics_prometheus import Metrics
from qa.request_log import RequestLog
from qa.service import make_service
from qa.settings import Settings
from tests.fakes_library import STORM, STRIKE, open_fake
from tests.fakes_llm import chunks, openai_server, statement
from tests.page_thread import serving_here
from tests.trace_collector import collecting, facts

ROOT = Path(__file__).parents[2]
QUESTION = "What did the storm close?"
STAGES = ["ask", "wait", "retrieve", "encode", "search.words", "search.vectors", "read"]


def client_of(service):
    metrics = Metrics(service)
    return TestClient(RequestLog(make_api(service, metrics), metrics), raise_server_exceptions=False)


def traced(byline, endpoint, **settings):
    return make_service(byline, Settings(trace_endpoint=endpoint, **settings))


@pytest.fixture
def byline(tmp_path):
    with open_fake(tmp_path / "library", STORM, STRIKE) as byline:
        yield byline


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_question_is_one_trace_of_its_stages_without_its_words(byline, stream):
    with collecting() as collected:
        service = traced(byline, collected.address)
        response = client_of(service).post("/v1/ask", json={"question": QUESTION, "stream": stream})
        assert response.status_code == 200
        service.close()
    spans = {span.name.removeprefix("byline."): span for span in collected.spans()}
    assert sorted(spans) == sorted(STAGES) and len(collected.spans()) == len(STAGES)
    assert len({span.trace_id for span in spans.values()}) == 1
    root = spans["ask"]
    assert root.parent_span_id == b""
    assert all(spans[name].parent_span_id == root.span_id for name in ("wait", "retrieve", "read"))
    found = [spans[name].parent_span_id for name in ("encode", "search.words", "search.vectors")]
    assert set(found) == {spans["retrieve"].span_id}
    for span in spans.values():
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    told = facts(root)
    assert told["byline.request_id"] == response.headers["x-request-id"]
    assert told["byline.abstained"] is False and told["byline.n_statements"] == 1
    assert facts(spans["retrieve"]) == {"byline.n_hits": 2, "byline.degraded": False}
    assert collected.resource()["service.name"] == "byline" and set(collected.paths) == {"/v1/traces"}
    sent = b"".join(collected.bodies).lower()
    assert not any(word in sent for word in (b"storm", b"harbour", b"dockers"))


def test_words_are_in_a_trace_when_they_are_wanted(byline):
    with collecting() as collected:
        service = traced(byline, collected.address, trace_texts=True)
        client_of(service).post("/v1/ask", json={"question": QUESTION})
        service.close()
    [root] = [span for span in collected.spans() if span.name == "byline.ask"]
    assert facts(root)["byline.question_text"] == QUESTION
    assert facts(root)["byline.answer_text"] == "A storm closed the harbour on Monday."


def test_questions_that_come_together_do_not_mix(byline):
    with collecting() as collected:
        service = traced(byline, collected.address)
        futures = []
        for n in range(20):
            work = lambda n=n: byline.ask(f"{QUESTION} {n}")  # noqa: E731
            context = service._context()
            futures.append(service.pool.submit(f"client {n}", lambda context=context, work=work: context.run(work)))
        for future in futures:
            future.result(60)
        service.close()
    assert set(Counter(span.trace_id for span in collected.spans()).values()) == {len(STAGES)}
    assert len({span.trace_id for span in collected.spans()}) == 20


def test_an_error_is_named_by_its_kind_alone(byline, monkeypatch):
    def damaged(reader, question, hits):
        raise LibraryDamagedError(f"The answer to {question!r} is broken.")

    monkeypatch.setattr(type(byline.readers.get()), "read", damaged)
    with collecting() as collected:
        service = traced(byline, collected.address)
        assert client_of(service).post("/v1/ask", json={"question": QUESTION}).status_code == 503
        service.close()
    failed = {span.name: span.status.message for span in collected.spans() if span.status.code == 2}
    assert failed == {"byline.ask": "LibraryDamagedError", "byline.read": "LibraryDamagedError"}
    assert b"storm" not in b"".join(collected.bodies)


def test_a_question_on_the_page_is_traced_with_the_id_of_its_request(byline):
    with collecting() as collected:
        service = traced(byline, collected.address)
        with serving_here(byline, service) as address, httpx.Client(base_url=address, trust_env=False) as client:
            events = client.get("/config").json()["dependencies"]
            [asked] = [event for event in events if any(trigger == "submit" for _, trigger in event["targets"])]
            data = [QUESTION, *[None] * (len(asked["inputs"]) - 1)]
            event = {"data": data, "fn_index": asked["id"], "session_hash": "traced", "event_data": None}
            joined = client.post("/gradio_api/queue/join", json=event)
            shown = client.get("/gradio_api/queue/data", params={"session_hash": "traced"}, timeout=60).text
            assert "A storm closed the harbour" in shown
        service.close()
    [root] = [span for span in collected.spans() if span.name == "byline.ask"]
    assert facts(root)["byline.request_id"] == joined.headers["x-request-id"]


@pytest.fixture
def llama_unfollowed():
    before = list(get_dispatcher().span_handlers)
    yield
    get_dispatcher().span_handlers = before


def test_what_llamaindex_does_for_a_question_is_in_its_trace(tmp_path, llama_unfollowed):
    written = statement("Rwanda now wants £50 million from the UK.", 1, "Rwanda now wants £50 million")
    events = chunks(written)
    events.insert(-1, 0.3)
    with openai_server((200, {}, events)) as (llm_address, _), collecting() as collected:
        settings = Settings(
            library=tmp_path,
            reader="llm",
            llm_base_url=llm_address,
            llm_model="scripted",
            trace_endpoint=collected.address,
        )
        with qa.open(settings=settings) as byline:
            byline.add(bundled_articles())
            service = make_service(byline, settings)
            asked = {"question": "How much compensation does Rwanda want?"}
            answer = client_of(service).post("/v1/ask", json=asked).json()
            assert answer["reader"] == "llm" and answer["degraded"] is None, answer
            byline.ask(asked["question"])  # not served, so not traced, though LlamaIndex is used again
            service.close()
    spans = collected.spans()
    assert len({span.trace_id for span in spans}) == 1
    by_name = {span.name: span for span in spans}
    read, check = by_name["byline.read"], by_name["byline.check"]
    called = {span.span_id: span for span in spans if span.name == "llama_index.OpenAILike.stream_chat"}
    assert check.parent_span_id == read.span_id and called
    for span in called.values():  # a class of LlamaIndex calls that which it derives from
        assert span.parent_span_id in {read.span_id, *called}
        assert span.end_time_unix_nano - span.start_time_unix_nano > 0.3e9  # it ends with its stream, not with the call
    assert b"compensation" not in b"".join(collected.bodies).lower()


def test_nothing_is_sent_or_imported_unless_it_is_served_and_wanted(tmp_path):
    script = "; ".join(
        (
            "import sys, qa",
            "byline = qa.open(sys.argv[1])",
            "assert not byline.ask('How much compensation does Rwanda want?').abstained",
            "byline.close()",
            "assert not [name for name in sys.modules if 'opentelemetry' in name]",
        )
    )
    with qa.open(tmp_path) as byline:
        byline.add(bundled_articles())  # with Chroma, which imports OpenTelemetry; asking a small library needs none
    with collecting() as collected:
        environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.address}
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], check=True, cwd=ROOT, env=environment, timeout=240
        )
    assert collected.bodies == []


def test_a_service_without_a_collector_has_no_tracer(byline, monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert make_service(byline, Settings())._tracer is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert Settings().trace_endpoint == "http://127.0.0.1:4318"
    assert Settings(trace_endpoint="http://127.0.0.1:9").trace_endpoint == "http://127.0.0.1:9"


@pytest.mark.parametrize("kind", ["closed", "hangs"])
def test_a_collector_that_is_away_neither_breaks_nor_holds_up_an_answer(byline, kind, caplog):
    caplog.set_level(logging.CRITICAL)
    with collecting(hangs=True) as collected:
        address = collected.address if kind == "hangs" else "http://127.0.0.1:9"
        service = traced(byline, address)
        client = client_of(service)
        untraced = client_of(make_service(byline, Settings(trace_endpoint=None)))
        seconds = {}
        for name, asker in (("untraced", untraced), ("traced", client)):
            started = time.perf_counter()
            for n in range(200):
                assert asker.post("/v1/ask", json={"question": f"{QUESTION} {n}"}).status_code == 200
            seconds[name] = time.perf_counter() - started
        started = time.perf_counter()
        service.close()
        assert time.perf_counter() - started < 15  # two batches of two seconds
    assert seconds["traced"] < 3 * seconds["untraced"] + 1  # waiting for it once would be two seconds
