"""Systems: retrieval alone, the standing baseline, anybody's own function; each by what it finds and how it fails."""

import sys
import textwrap

import pytest

from corpus.errors import ReadingError, SettingsError
from corpus.types import Span
from evals.adapt_llamaindex import reply_of_response, statements_of
from evals.rankers import RANKERS, RankerSystem
from evals.system_byline import BylineSystem, weighing
from evals.system_callable import CallableSystem, load_system
from evals.systems import corpus_hash, make_bench, open_system
from evals.types import CitedSpan, Example, Retrieved, Stated
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from qa.byline import Byline
from qa.settings import Settings
from tests.evals.conftest import ARTICLES
from tests.fakes import FakeEmbedder, FakeReader, make_article

FERRY = Example("q1", "Why was the ferry to the island cancelled?", True)
STORED = [make_article(text, id=name, title=name.title(), id_given=True) for name, text in ARTICLES.items()]
TEXTS = {article.id: article.text for article in STORED}


@pytest.mark.parametrize("name", RANKERS)
def test_rankers_find_the_article_of_an_easy_question(tmp_path, name):
    embedder = embedded_encoder() if name == "maxsim" else FakeEmbedder()
    with open_index(tmp_path / "library", embedder) as index:
        add_articles(index, STORED)
        hits = RankerSystem(name, index).reply(FERRY).hits
        elsewhere = RankerSystem(name, index).reply(Example("q", FERRY.question, True, within=("budget",))).hits
    assert hits[0].article_id == "ferry"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].n_tokens and hits[0].span.slice(TEXTS["ferry"]).startswith("The ferry")
    assert {hit.article_id for hit in elsewhere} <= {"budget"}


def test_maxsim_says_which_encoders_it_cannot_use(tmp_path):
    with open_index(tmp_path / "library", FakeEmbedder()) as index:
        add_articles(index, STORED)
        with pytest.raises(SettingsError, match="token vectors"):
            RankerSystem("maxsim", index).reply(FERRY)


def _byline(folder):
    byline = Byline(folder, Settings(library=folder), embedder=FakeEmbedder(), reader=FakeReader())
    byline.add_articles(STORED)
    return byline


def test_byline_replies_with_its_citations_and_deeper_hits(tmp_path):
    with _byline(tmp_path / "library") as byline:
        system = BylineSystem(byline)
        reply = system.reply(FERRY)
        within = system.reply(Example("q", FERRY.question, True, within=("trains",)))
    first = ARTICLES["ferry"].split(". ")[0] + "."
    assert reply.citations == (CitedSpan(1, "ferry", 0, len(first), first),)
    assert reply.statements == (Stated(first, (1,)),)
    assert (reply.confidence, reply.abstained, len(reply.hits)) == (0.9, False, 3)
    assert reply.latency_ms > 0 and reply.cpu_s > 0
    assert {hit.article_id for hit in within.hits} == {"trains"}


def test_weighing_changes_what_comes_first_and_only_inside_the_block(tmp_path):
    with _byline(tmp_path / "library") as byline:
        shipped = [hit.score for hit in byline.search("ferry storm", k=3)]
        with weighing(0.0):
            words = [hit.score for hit in byline.search("ferry storm", k=3)]
        assert words != shipped
        assert [hit.score for hit in byline.search("ferry storm", k=3)] == shipped


def test_the_starter_states_its_first_source_and_measures_deeper_hits(tmp_path):
    from evals.baseline_llamaindex_chroma import open_starter

    starter = open_starter(STORED, FakeEmbedder(), tmp_path / "kept")
    reply = starter.reply(FERRY)
    assert reply.citations == (CitedSpan(1, "ferry", 0, len(TEXTS["ferry"]), TEXTS["ferry"]),)
    assert reply.statements == (Stated(TEXTS["ferry"], (1,)),)
    assert [hit.article_id for hit in reply.hits][0] == "ferry" and len(reply.hits) == 3
    assert reply.hits[0].span == Span(0, len(TEXTS["ferry"])) and reply.hits[0].n_tokens
    within = starter.reply(Example("q", FERRY.question, True, within=("trains",)))
    assert {hit.article_id for hit in within.hits} == {"trains"} == {c.article_id for c in within.citations}


def test_the_starter_embeds_once_and_keeps_its_index(tmp_path):
    from evals.baseline_llamaindex_chroma import open_starter

    first = open_starter(STORED, FakeEmbedder(), tmp_path / "kept").reply(FERRY).hits

    class Refusing(FakeEmbedder):
        def embed_passages(self, texts):
            raise AssertionError("embedded again")

    assert open_starter(STORED, Refusing(), tmp_path / "kept").reply(FERRY).hits == first
    with pytest.raises(AssertionError, match="embedded again"):
        open_starter(STORED[:2], Refusing(), tmp_path / "kept")


def test_the_starter_lets_a_model_write_when_there_is_one(tmp_path, monkeypatch):
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata

    from evals import baseline_llamaindex_chroma as baseline

    class Writer(CustomLLM):
        @property
        def metadata(self):
            return LLMMetadata(model_name="writer")

        def complete(self, prompt, formatted=False, **kwargs):
            return CompletionResponse(text="The storm broke two piers [1]. Nobody knows more [7].")

        def stream_complete(self, prompt, formatted=False, **kwargs):
            raise NotImplementedError

    monkeypatch.setattr(baseline, "load_llm", lambda name: Writer() if name else None)
    starter = baseline.open_starter(STORED, FakeEmbedder(), tmp_path / "kept", "mine:llm")
    reply = starter.reply(FERRY)
    assert reply.statements == (Stated("The storm broke two piers.", (1,)), Stated("Nobody knows more.", (7,)))
    assert [citation.n for citation in reply.citations] == [1]
    assert starter.fingerprint.endswith(":writer")


def test_the_starter_cuts_long_articles_and_its_spans_slice_back():
    from evals.baseline_llamaindex_chroma import split

    text = " ".join(f"Sentence number {n} tells of the harbour and of nothing else." for n in range(400))
    nodes = split([make_article(text, id="long", title="Long", source="Echo")])
    assert len(nodes) > 3
    assert all(node.get_content() in text for node in nodes)
    assert nodes[0].metadata == {"title": "Long", "source": "Echo"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("It rained [1]. It snowed [2, 3].", [("It rained.", (1,)), ("It snowed.", (2, 3))]),
        ("It rained. [1] It snowed.", [("It rained.", (1,)), ("It snowed.", ())]),
        ("It rained.[1][2]", [("It rained.", (1, 2))]),
        ("He said “it rained.” [1] It snowed!", [("He said “it rained.”", (1,)), ("It snowed!", ())]),
        ("", []),
    ],
    ids=["inside", "after", "two", "quoted", "empty"],
)
def test_statements_of(said, expected):
    assert statements_of(said) == tuple(Stated(*each) for each in expected)


class _Node:
    def __init__(self, text, ref_doc_id=None, score=0.5):
        self.node, self.score, self.text, self.ref_doc_id = self, score, text, ref_doc_id

    def get_content(self):
        return self.text


class _Response:
    def __init__(self, response, *nodes):
        self.response, self.source_nodes = response, nodes


def test_reply_of_response_finds_sources_or_leaves_them_broken():
    nodes = [_Node("Source 1:\nThe storm broke two piers."), _Node("Made up.", "ferry")]
    reply = reply_of_response(_Response("It broke [1]. It sank [2].", *nodes), TEXTS)
    start = TEXTS["ferry"].index("The storm")
    assert reply.citations[0] == CitedSpan(1, "ferry", start, start + 26, "The storm broke two piers.")
    assert reply.citations[1] == CitedSpan(2, "ferry", 0, 0, "Made up.")
    assert [hit.span for hit in reply.hits] == [Span(start, start + 26)]
    assert reply_of_response(_Response("Empty Response"), TEXTS).abstained


ANSWER = {
    "statements": [{"text": "The storm broke two piers.", "citations": [1]}],
    "citations": [{"n": 1, "article_id": "ferry", "start": 50, "end": 76, "quote": "The storm broke two piers."}],
    "hits": [{"article_id": "ferry", "start": 0, "end": 30, "score": 2}],
    "confidence": 0.7,
    "short_answer": "two piers",
    "disagreements": [{"about": "x", "positions": [{"value": "a"}, {"value": "b"}]}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}


def _ask(answer):
    return CallableSystem("mine:ask", lambda question: answer, STORED, "f").reply(FERRY)


def test_a_callable_may_give_the_answer_json():
    reply = _ask(ANSWER)
    assert reply.statements == (Stated("The storm broke two piers.", (1,)),)
    assert reply.hits == (Retrieved("ferry", Span(0, 30), 2.0, 7),)
    assert (reply.confidence, reply.short_answer, reply.disagreements) == (0.7, "two piers", (("a", "b"),))
    assert (reply.prompt_tokens, reply.completion_tokens, reply.abstained) == (5, 2, False)


def test_a_callable_may_give_a_text_an_object_or_a_response():
    assert _ask("It broke [1].").statements == (Stated("It broke.", (1,)),)
    assert _ask(" ").abstained
    assert _ask(_Response("It broke [1].", _Node("The storm broke two piers."))).citations[0].article_id == "ferry"
    assert _ask(type("Answer", (), {"to_dict": lambda self: ANSWER})()).confidence == 0.7


def test_our_own_query_engine_is_measured_by_its_citations(tmp_path):
    from qa.llamaindex import BylineQueryEngine

    with _byline(tmp_path / "library") as byline:
        engine = CallableSystem("mine:engine", BylineQueryEngine(byline).query, STORED, "f").reply(FERRY)
        direct = BylineSystem(byline).reply(FERRY)
        assert (engine.statements, engine.citations) == (direct.statements, direct.citations)
        assert engine.confidence == direct.confidence and len(engine.hits) == 3


@pytest.mark.parametrize("answer", [7, {"statements": [{}]}, None], ids=["number", "lacks text", "nothing"])
def test_a_callable_that_gives_something_else_fails_the_question(answer):
    with pytest.raises(ReadingError, match="mine:ask gave an answer"):
        _ask(answer)


def test_a_callable_that_raises_fails_the_question():
    def broken(question):
        raise ZeroDivisionError("by zero")

    with pytest.raises(ReadingError, match="ZeroDivisionError"):
        CallableSystem("mine:ask", broken, STORED, "f").reply(FERRY)


def test_load_system_takes_a_function_a_factory_or_an_engine(tmp_path, monkeypatch):
    code = """
        def ask(question): return "It broke [1]."
        def make(articles): return lambda question: f"{len(articles)} articles."
        class engine:
            def query(question): return "From an engine."
        number = 7
    """
    (tmp_path / "mine_for_evals.py").write_text(textwrap.dedent(code))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    said = {name: load_system(f"mine_for_evals:{name}", STORED).reply(FERRY).text for name in ("ask", "make", "engine")}
    assert said == {"ask": "It broke.", "make": "3 articles.", "engine": "From an engine."}
    assert load_system("mine_for_evals:ask", STORED).fingerprint.startswith("mine_for_evals:ask:")
    for wrong in ("mine_for_evals:nosuch", "no_such_module:ask", "mine_for_evals:number"):
        with pytest.raises(SettingsError):
            load_system(wrong, STORED)


def test_open_system_refuses_what_it_does_not_know(tmp_path):
    with (
        pytest.raises(SettingsError, match="byline, bm25"),
        open_system("nosuch", make_bench(tmp_path), "small", STORED),
    ):
        pass


def test_make_bench_takes_settings_and_the_weight(tmp_path):
    bench = make_bench(tmp_path, ["k=7", "chunk_tokens=100", "dense_weight=0.25"])
    assert (bench.facts["k"], bench.facts["chunk_tokens"], bench.dense_weight) == (7, 100, 0.25)
    for wrong in ("k", "k=", "nosuch=1", "k=no", "dense_weight=2", "dense_weight=x"):
        with pytest.raises(SettingsError):
            make_bench(tmp_path, [wrong])


def test_corpus_hash_sees_texts_and_not_their_order():
    assert corpus_hash(STORED) == corpus_hash(STORED[::-1]) != corpus_hash(STORED[:2])
