"""Byline inside real LlamaIndex objects: no model, no global settings, no name looked up."""

import asyncio
import json
import socket
from datetime import date

import pytest
from llama_index.core import Document
from llama_index.core.base.llms.types import CompletionResponse, LLMMetadata
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.llms import CustomLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.schema import MetadataMode, QueryBundle
from llama_index.core.settings import Settings as GlobalSettings

from corpus.types import LoadFailure
from index.types import Filters
from qa.byline import Byline
from qa.llamaindex import BylineQueryEngine, BylineRetriever, load_documents
from qa.settings import Settings
from tests.fakes import FakeEmbedder, FakeReader, make_article

KIGALI = make_article(
    "Officials in Kigali confirmed the flight. They gave no date.",
    "a1",
    source="AP",
    url="https://example.org/1",
    published=date(2025, 5, 6),
    id_given=True,
)
LONDON = make_article("The court in London ended the plan.", "a2", source="BBC", id_given=True)


class EchoLLM(CustomLLM):
    """Stands in for a model: returns the prompt it was given."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    def complete(self, prompt, formatted=False, **kwargs) -> CompletionResponse:
        return CompletionResponse(text=prompt)

    def stream_complete(self, prompt, formatted=False, **kwargs):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(host, *_args, **_kwargs):
        raise AssertionError(f"The name {host!r} was looked up.")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "gethostbyname", refuse)
    yield
    # Asking for any of these would have resolved a remote default model.
    assert GlobalSettings._llm is None and GlobalSettings._embed_model is None


@pytest.fixture
def byline(tmp_path):
    with Byline(tmp_path, Settings(library=tmp_path), embedder=FakeEmbedder(), reader=FakeReader()) as opened:
        opened.add_articles([KIGALI, LONDON])
        yield opened


def test_retriever_gives_passages_with_exact_places(byline):
    first = BylineRetriever(byline).retrieve("Who in Kigali confirmed the flight?")[0]
    facts = first.node.metadata
    assert list(facts) == [
        "article_id",
        "title",
        "source",
        "url",
        "published",
        "version",
        "start",
        "end",
        "passage_id",
    ]
    assert (facts["article_id"], facts["source"], facts["published"]) == ("a1", "AP", "2025-05-06")
    assert byline.article("a1").text[facts["start"] : facts["end"]] == first.node.text
    assert first.node.node_id == facts["passage_id"]
    assert first.node.ref_doc_id == "a1"
    assert first.score == byline.search("Who in Kigali confirmed the flight?")[0].score


def test_retriever_gives_the_same_ids_each_time_and_when_async(byline):
    retriever = BylineRetriever(byline, k=1, filters=Filters(("BBC",)))
    first = retriever.retrieve("plan")
    again = asyncio.run(retriever.aretrieve(QueryBundle("plan")))
    assert [node.node.node_id for node in first] == [node.node.node_id for node in again]
    assert [node.metadata["article_id"] for node in first] == ["a2"]


def test_a_prompt_sees_title_outlet_and_date_but_no_hashes(byline):
    node = BylineRetriever(byline).retrieve("Kigali flight")[0]
    prompt = node.node.get_content(metadata_mode=MetadataMode.LLM)
    assert "AP" in prompt and "2025-05-06" in prompt
    assert "sha256" not in prompt and node.node.node_id not in prompt


def test_retriever_works_in_llamaindexs_own_query_engine(byline):
    callbacks = CallbackManager([])
    synthesizer = get_response_synthesizer(
        llm=EchoLLM(callback_manager=callbacks), response_mode=ResponseMode.SIMPLE_SUMMARIZE, callback_manager=callbacks
    )
    engine = RetrieverQueryEngine(BylineRetriever(byline, k=1), synthesizer, callback_manager=callbacks)
    response = engine.query("Who in Kigali confirmed the flight?")
    assert "Officials in Kigali confirmed the flight." in str(response)
    assert response.source_nodes[0].metadata["article_id"] == "a1"


def test_retriever_reports_to_the_callbacks_it_was_given(byline):
    debug = LlamaDebugHandler(print_trace_on_end=False)
    BylineRetriever(byline, callback_manager=CallbackManager([debug])).retrieve("Kigali")
    assert [pair[0].event_type.value for pair in debug.get_event_pairs()] == ["retrieve"]


def test_query_engine_answers_with_the_cited_passages_and_the_answer_json(byline):
    engine = BylineQueryEngine(byline)
    response = engine.query("Who in Kigali confirmed the flight?")
    assert str(response) == "Officials in Kigali confirmed the flight."
    citation = json.loads(json.dumps(response.metadata))["citations"][0]
    assert byline.article("a1").text[citation["start"] : citation["end"]] == citation["quote"]
    assert [node.metadata["passage_id"] for node in response.source_nodes] == [citation["passage_id"]]
    assert str(asyncio.run(engine.aquery("Who in Kigali confirmed the flight?"))) == str(response)


def test_query_engine_says_why_it_abstains(tmp_path):
    with Byline(
        tmp_path, Settings(library=tmp_path), embedder=FakeEmbedder(), reader=FakeReader(silent=True)
    ) as byline:
        byline.add_articles([KIGALI])
        response = BylineQueryEngine(byline).query("What is the capital of Australia?")
    assert "silent" in str(response) and response.source_nodes == []
    assert response.metadata["abstained"] and response.metadata["hits"]


def test_add_documents_stores_them_with_their_facts(byline):
    facts = {
        "title": "A harbour opens",
        "source": "AFP",
        "url": "https://example.org/h",
        "date": "2025-06-01T10:00:00Z",
        "authors": ["A. Writer", "B. Writer"],
    }
    report = byline.add_documents([Document(text="The harbour opened\r\nagain.", id_="h-1", metadata=facts)])
    assert report.added == ("h-1",)
    article = byline.article("h-1")
    assert article.text == "The harbour opened\nagain."
    assert (article.title, article.source, article.url) == ("A harbour opens", "AFP", "https://example.org/h")
    assert (article.published, article.author) == (date(2025, 6, 1), "A. Writer, B. Writer")


def test_adding_the_same_documents_again_changes_nothing(byline):
    def documents():
        return [Document(text="One harbour.", metadata={"file_path": "/x/one.txt"}), Document(text="Another bridge.")]

    assert len(byline.add_documents(documents()).added) == 2
    again = byline.add_documents(documents())
    assert (len(again.unchanged), again.added, again.updated) == (2, (), ())


@pytest.mark.parametrize(
    ("facts", "title", "origin"),
    [
        ({"file_path": "/x/the-story.pdf", "page_label": "3"}, "the-story", "/x/the-story.pdf#page=3"),
        ({"source": "https://example.org/s"}, "The harbour opened.", "https://example.org/s"),
        ({}, "The harbour opened.", ""),
    ],
    ids=["page of a file", "an address as source", "nothing known"],
)
def test_load_documents_finds_title_and_origin(facts, title, origin):
    (article,) = load_documents([Document(text="The harbour opened.\nIt rained.", id_="d", metadata=facts)])
    assert (article.title, article.origin, article.source) == (title, origin, None)


def test_load_documents_does_not_guess_a_date():
    (article,) = load_documents([Document(text="The harbour opened.", metadata={"date": "last Tuesday"})])
    assert article.published is None


def test_load_documents_reports_one_without_text():
    (failure,) = load_documents([Document(text=" \n", id_="d", metadata={"url": "https://example.org/e"})])
    assert isinstance(failure, LoadFailure)
    assert (failure.origin, "no text" in failure.reason) == ("https://example.org/e", True)
