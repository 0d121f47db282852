"""Retrieval over a real library in a temporary folder, with the fake embedder: order, filters, limits, failures."""

import threading
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import EmptyCorpusError, RetrievalTimeoutError, SettingsError
from index import open as opening
from index import retrieve
from index.fuse import fuse_convex
from index.ingest import add_articles, remove_articles
from index.open import open_index
from index.retrieve import Candidates, Retriever, fuse_candidates, spread
from index.sentence_vectors import sentence_texts
from index.types import Filters
from tests.fakes import FakeEmbedder, make_article

FERRY = make_article(
    "The ferry to the island was cancelled on Monday.\n\nThe storm broke two piers. Nobody was hurt.",
    id="ferry",
    title="Storm at sea",
    source="Harbour News",
    published=date(2026, 2, 3),
)
BUDGET = make_article(
    "The council of the harbour town passed the budget after a night of talks. Schools will get more money for books, "
    "teachers and repairs than ever before. Roads will get less, and so will the two parks beside the old river.",
    id="budget",
    title="Council meets",
    source="The Echo",
    published=date(2026, 3, 9),
)
UNDATED = make_article("A ferry is a boat that carries people over water.", id="boats", title="About boats")
ARTICLES = [FERRY, BUDGET, UNDATED]


@pytest.fixture
def filled(index):
    add_articles(index, ARTICLES)
    return index


def _articles(hits):
    return [hit.article.id for hit in hits]


def test_retrieve_ranks_the_passage_that_answers_first(filled):
    hits = Retriever(filled).retrieve("Why was the ferry to the island cancelled?")
    assert hits[0].article == FERRY
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].passage.span.slice(FERRY.text) == hits[0].passage.text


def test_retrieve_keeps_every_signal(filled):
    question = "Why was the ferry to the island cancelled?"
    hit = Retriever(filled).retrieve(question, k=1)[0]
    embedder = filled.embedder
    best = max(embedder.embed_passages(sentence_texts(hit.passage)) @ embedder.embed_question(question))
    assert hit.signals.cosine == pytest.approx(best, abs=0.01)  # stored in 8 bits
    assert len(hit.sentence_cosines) == len(hit.passage.sentences)
    assert max(hit.sentence_cosines) == hit.signals.cosine
    assert hit.signals.bm25 == pytest.approx(dict(filled.lexical.query(question, 10, Filters()))[hit.passage.id])
    assert hit.signals.fused == pytest.approx(1.0)
    assert hit.signals.reader is None


def test_retrieve_returns_k_hits_and_the_same_ones_again(filled):
    retriever = Retriever(filled)
    assert len(retriever.retrieve("ferry", k=2)) == 2
    assert retriever.retrieve("ferry", k=2) == retriever.retrieve("ferry", k=10)[:2]


def test_retrieve_breaks_ties_by_passage_id(index):
    orders = ["The same four words.", "Four same words the.", "Words the four same.", "Same words four the."]
    add_articles(index, [make_article(text, id=id_, title="Same") for id_, text in zip("dacb", orders, strict=True)])
    hits = Retriever(index).retrieve("words")
    assert len({hit.score for hit in hits}) == 1
    assert _articles(hits) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(outlets=("harbour news",)), {"ferry"}),
        (Filters(since=date(2026, 3, 1)), {"budget"}),
        (Filters(until=date(2026, 2, 3)), {"ferry"}),
        (Filters(article_ids=("boats", "budget")), {"boats", "budget"}),
        (Filters(outlets=("nobody",)), set()),
    ],
    ids=["outlet", "since", "until", "articles", "nothing left"],
)
def test_retrieve_filters_both_sides(filled, filters, found):
    hits = Retriever(filled).retrieve("ferry budget storm water", filters=filters)
    assert set(_articles(hits)) == found


@pytest.mark.parametrize("question", ["", "  \n\t "], ids=["empty", "blank"])
def test_retrieve_refuses_a_blank_question(filled, question):
    with pytest.raises(SettingsError, match="question is empty"):
        Retriever(filled).retrieve(question)


def test_retrieve_from_an_empty_library_says_what_to_do(index):
    with pytest.raises(EmptyCorpusError, match="byline add"):
        Retriever(index).retrieve("ferry")


def test_retrieve_sees_articles_come_and_go(index):
    retriever, question = Retriever(index), "Why was the ferry to the island cancelled?"
    add_articles(index, [BUDGET])
    assert _articles(retriever.retrieve(question)) == ["budget"]
    add_articles(index, [FERRY])
    assert retriever.retrieve(question)[0].article == FERRY
    remove_articles(index, ["ferry"])
    assert _articles(retriever.retrieve(question)) == ["budget"]


@pytest.mark.parametrize(
    "question", ["?!", "der die das", 'title:"ferry" AND (', "\x00", "ferry " * 500, "🙂"], ids=lambda text: text[:8]
)
def test_retrieve_takes_any_text_as_plain_words(filled, question):
    hits = Retriever(filled).retrieve(question)
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


class SlowEmbedder(FakeEmbedder):
    """Answers questions only when told to."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()

    def embed_question(self, text):
        self.released.wait(30)
        return super().embed_question(text)


def test_retrieve_goes_by_words_alone_when_the_deadline_passes(folder):
    embedder = SlowEmbedder()
    with open_index(folder, embedder) as index:
        embedder.released.set()
        add_articles(index, ARTICLES)
        embedder.released.clear()
        hits = Retriever(index, deadline_s=1.0).retrieve("Was the ferry cancelled?")
        embedder.released.set()
        assert hits[0].article == FERRY
        assert hits[0].signals.bm25 and hits[0].signals.cosine is None
        assert Retriever(index).retrieve("Was the ferry cancelled?")[0].signals.cosine


def test_retrieve_asks_chroma_once_a_library_is_large(filled, monkeypatch):
    exact = Retriever(filled).retrieve("Why was the ferry to the island cancelled?")
    monkeypatch.setattr(retrieve, "EXACT_PASSAGES", 0)
    monkeypatch.setattr(type(filled.exact), "query", None)  # a call would fail
    assert Retriever(filled).retrieve("Why was the ferry to the island cancelled?") == exact


def test_retrieve_finds_a_passage_for_each_clause(index):
    fillers = [
        make_article(f"The harbour council of town {n} met the ferry company about ports and storms.", id=f"filler{n}")
        for n in range(30)
    ]
    strike = make_article("Dockers at Eastport went on strike over wages.", id="strike", title="Strike")
    talks = make_article("The minister said negotiations had resumed in Geneva.", id="talks", title="Talks")
    add_articles(index, [*fillers, strike, talks])
    question = (
        "Did dockers at Eastport go on strike over wages, while the minister said negotiations had resumed in Geneva?"
    )
    assert set(_articles(Retriever(index).retrieve(question, k=2))) == {"strike", "talks"}


def test_fuse_candidates_is_the_mean_of_whole_question_and_best_clause():
    clauses = ({"b": 3.0, "a": 1.0}, {"c": 5.0, "b": 4.0, "a": 3.0})
    candidates = Candidates({"a": 4.0, "b": 2.0}, {"a": 0.5, "b": 0.1, "c": 0.3}, clauses)
    whole = {"a": 1.0, "b": 0.0, "c": 0.25 * 0.5}
    assert fuse_candidates(candidates, 0.25) == pytest.approx(
        {"a": (whole["a"] + 0) / 2, "b": (whole["b"] + 1) / 2, "c": (whole["c"] + 1) / 2}
    )


def test_fuse_candidates_of_a_simple_question_is_its_convex_sum():
    candidates = Candidates({"a": 4.0, "b": 2.0}, {"b": 0.5, "c": 0.1})
    assert fuse_candidates(candidates, 0.25) == fuse_convex(candidates.bm25, candidates.cosine, 0.25)


def test_spread_by_hand():
    fused = {"a:v:0": 0.9, "a:v:1": 0.8, "a:v:2": 0.79, "b:v:0": 0.7, "c:v:0": 0.1}
    ranked = list(spread(fused, 0.9))
    assert [passage_id for passage_id, _ in ranked] == ["a:v:0", "a:v:1", "b:v:0", "a:v:2", "c:v:0"]
    assert [score for _, score in ranked] == pytest.approx([0.9, 0.72, 0.7, 0.79 * 0.81, 0.1])


def test_spread_without_a_factor_is_the_order_of_scores_with_ties_by_id():
    fused = {"b:v:0": 0.5, "a:v:1": 0.5, "a:v:0": 0.5, "c:v:0": 0.6}
    assert [passage_id for passage_id, _ in spread(fused, 1.0)] == ["c:v:0", "a:v:0", "a:v:1", "b:v:0"]


@given(st.dictionaries(st.sampled_from([f"{a}:v:{n}" for a in "abc" for n in range(5)]), st.floats(0, 1)))
def test_spread_keeps_every_passage_and_falls(fused):
    ranked = list(spread(fused))
    assert {passage_id for passage_id, _ in ranked} == fused.keys()
    scores = [score for _, score in ranked]
    assert scores == sorted(scores, reverse=True)
    firsts = {}
    for passage_id, score in ranked:
        firsts.setdefault(passage_id[0], score)
    assert firsts == {a: max(score for name, score in fused.items() if name[0] == a) for a in firsts}


def test_retriever_is_safe_to_use_from_several_threads(filled):
    retriever = Retriever(filled)
    questions = ["Was the ferry cancelled?", "Who passed the budget?", "What is a ferry?"] * 5
    expected = [retriever.retrieve(question) for question in questions]
    found: dict[int, object] = {}

    def ask(place):
        found[place] = retriever.retrieve(questions[place])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(len(questions))] == expected


def test_cosine_is_of_the_most_alike_sentence(filled):
    question = "Schools will get more money for books, teachers and repairs than ever before."
    hit = next(hit for hit in Retriever(filled).retrieve(question) if hit.article == BUDGET)
    assert hit.signals.cosine == pytest.approx(1.0, abs=0.01)
    whole = filled.library.vectors([hit.passage.id])[0] @ filled.embedder.embed_question(question)
    assert float(np.float32(whole)) < 0.95


def test_retrieve_goes_by_meaning_alone_when_the_lexical_index_is_late(filled, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(type(filled.lexical), "query", lambda *_: released.wait(30))
    hits = Retriever(filled, deadline_s=1.0).retrieve("Was the ferry cancelled?")
    released.set()
    assert hits and all(hit.signals.bm25 is None and "by their meaning alone" in hit.degraded for hit in hits)


def test_retrieve_says_so_when_nothing_answers_in_time(filled, monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(type(filled.lexical), "query", lambda *_: released.wait(30))
    monkeypatch.setattr(type(filled.exact), "query", lambda *_: released.wait(30))
    retriever = Retriever(filled, deadline_s=0.1)
    for _ in range(5):  # more than may hang at once: the later ones are refused at once
        with pytest.raises(RetrievalTimeoutError, match=r"did not answer within 0.1 seconds.*BYLINE_DEADLINE_S"):
            retriever.retrieve("Was the ferry cancelled?")
    released.set()


def test_retrieve_without_a_word_in_common_never_takes_lateness_for_nothing_found(folder):
    embedder = SlowEmbedder()
    with open_index(folder, embedder) as index:
        embedder.released.set()
        add_articles(index, ARTICLES)
        embedder.released.clear()
        with pytest.raises(RetrievalTimeoutError):
            Retriever(index, deadline_s=0.1).retrieve("zzz qqq")
        embedder.released.set()


def test_a_large_library_is_scanned_while_its_vector_index_is_damaged(filled, monkeypatch, caplog):
    sound = Retriever(filled).retrieve("Was the ferry cancelled?")
    filled.close()
    with open_index(filled.folder, FakeEmbedder()) as index:
        monkeypatch.setattr(retrieve, "EXACT_PASSAGES", 0)
        monkeypatch.setattr(opening, "_REBUILT_AT_ONCE", 0)
        (stamp,) = filled.folder.glob("chroma/*/stamp")
        stamp.unlink()
        assert Retriever(index).retrieve("Was the ferry cancelled?") == sound
        assert "Searching without the vector index" in caplog.text and "byline doctor --repair" in caplog.text
