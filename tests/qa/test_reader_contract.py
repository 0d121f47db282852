"""What every reader promises, over every reader there is."""

import pytest

from corpus.chunk import chunk_article
from index.types import Hit, Signals
from qa.check_written import WrittenChecker
from qa.language_model_llama import LlamaModel
from qa.network_onnx import ReaderNetwork
from qa.read_extractive import ExtractiveReader
from qa.read_llm import LLMReader
from qa.support import SupportChecker
from tests.fakes import FakeNetwork, FakeReader, make_article
from tests.fakes_llm import ScriptedLLM, statement

TEXTS = (
    "Kigali and Washington are talking. The minister confirmed it on Monday. Nothing has been signed.",
    "The court struck the plan down in November 2023. Rwanda seeks £50 million. The minister confirmed it on Monday.",
)
QUESTIONS = ("Who confirmed it?", "When did the court strike the plan down?", "Why is the sky blue?", "?!", "a" * 400)


def _hits():
    articles = [make_article(text, f"a{n}") for n, text in enumerate(TEXTS)]
    pairs = [(article, passage) for article in articles for passage in chunk_article(article)]
    signals = Signals(bm25=2.0, cosine=0.5, fused=0.8)
    return [Hit(rank, passage, article, 1 / rank, signals) for rank, (article, passage) in enumerate(pairs, 1)]


def _llm_reader(text):
    checker = WrittenChecker(SupportChecker(FakeNetwork(), supported_from=0.6, weak_from=0.1))
    return LLMReader(FakeReader(), LlamaModel(ScriptedLLM(texts=[text])), checker, sleep=lambda seconds: None)


@pytest.fixture(scope="module", params=["fake", "silent fake", "by words", "shipped", "llm", "failing llm"])
def reader(request):
    made = {
        "fake": FakeReader,
        "silent fake": lambda: FakeReader(silent=True),
        "by words": lambda: ExtractiveReader(FakeNetwork()),
        "shipped": lambda: ExtractiveReader(ReaderNetwork()),
        "llm": lambda: _llm_reader(statement("Nothing has been signed.") + statement("The minister confirmed it.", 2)),
        "failing llm": lambda: _llm_reader(OSError("gone")),
    }
    return made[request.param]()


@pytest.mark.parametrize("question", QUESTIONS)
def test_read_states_or_abstains_never_both(reader, question):
    reading = reader.read(question, _hits())
    assert bool(reading.statements) != (reading.abstention is not None)
    assert 0.0 <= reading.confidence <= 1.0


@pytest.mark.parametrize("question", QUESTIONS)
def test_read_cites_spans_of_the_hits_alone(reader, question):
    hits = _hits()
    reading = reader.read(question, hits)
    read = {hit.passage.id: hit.passage.span for hit in hits}
    assert [citation.n for citation in reading.citations] == list(range(1, len(reading.citations) + 1))
    assert all(read[citation.passage_id].contains(citation.span) for citation in reading.citations)
    assert all(set(statement.citations) <= {c.n for c in reading.citations} for statement in reading.statements)


def test_read_scores_each_hit(reader):
    hits = _hits()
    assert len(reader.read(QUESTIONS[0], hits).hit_scores) == len(hits)


def test_read_without_hits_abstains(reader):
    assert reader.read(QUESTIONS[0], []).abstention is not None


def test_read_twice_gives_the_same(reader):
    hits = _hits()
    assert reader.read(QUESTIONS[0], hits) == reader.read(QUESTIONS[0], hits)


def test_fingerprint_is_there_and_stays(reader):
    assert reader.fingerprint and reader.fingerprint == reader.fingerprint
