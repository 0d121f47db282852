"""A library is a dict on disk: whatever is done to it, ids, texts, spans and hits are those of a plain dict."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from corpus.chunk import chunk_article
from index import doctor
from index.ingest import add_articles, remove_articles
from index.open import open_index
from index.retrieve import Retriever
from index.types import AddReport, Filters
from tests.fakes import FakeEmbedder, make_article

IDS = st.sampled_from(["a", "b", "c", "d"])
WORDS = ["zeppelin", "glacier", "harvest", "submarine"]
SHARED = "\n\n".join(f"The {n} reporters saw it near the town, and wrote it down. " * 12 for n in ("two", "ten"))
TEXTS = st.builds(
    lambda word, n_parts: f"The {word} came.\n\n" + "\n\n".join([SHARED] * n_parts),
    st.sampled_from(WORDS),
    st.integers(0, 2),
)
OUTLETS = st.sampled_from([None, "The Echo"])


class LibraryMachine(RuleBasedStateMachine):
    """Adds, edits, removes and brings back articles of one library, and looks after it in between."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.model = {}
        self.index = open_index(self.root / "library", FakeEmbedder())

    @initialize(text=TEXTS)
    def fill(self, text):
        self.add({"a": (text, None)})

    @rule(wanted=st.dictionaries(IDS, st.tuples(TEXTS, OUTLETS), min_size=1))
    def add(self, wanted):
        """Add, edit, or add the same again, several at once; what is reported is what changed."""
        articles = [
            make_article(text, id=id_, id_given=True, source=outlet, origin=id_)
            for id_, (text, outlet) in wanted.items()
        ]
        expected = {"added": [], "updated": [], "unchanged": []}
        for article in articles:
            old = self.model.get(article.id)
            outcome = "added" if old is None else "unchanged" if old.version == article.version else "updated"
            expected[outcome].append(article.id)
        report = add_articles(self.index, articles)
        assert report == AddReport(**{name: tuple(ids) for name, ids in expected.items()})
        self.model.update({article.id: article for article in articles})

    @rule(id_=IDS)
    def remove(self, id_):
        if id_ in self.model:
            remove_articles(self.index, [id_])
            del self.model[id_]

    @rule()
    def restart(self):
        self.index.close()
        self.index = open_index(self.root / "library", FakeEmbedder())

    @rule(look_after=st.sampled_from([doctor.repair, doctor.compact]))
    def look_after(self, look_after):
        self.index.close()
        look_after(self.root / "library")
        self.index = open_index(self.root / "library", FakeEmbedder())

    @rule(name=st.sampled_from(["chroma", "lexical"]))
    def lose_an_index(self, name):
        self.index.close()
        shutil.rmtree(self.root / "library" / name, ignore_errors=True)
        self.index = open_index(self.root / "library", FakeEmbedder())

    @invariant()
    def holds_what_the_dict_holds(self):
        library = self.index.library
        assert {info.id: library.article(info.id) for info in library.articles()} == self.model
        passages = {passage.id: passage for article in self.model.values() for passage in chunk_article(article)}
        assert library.passages(library.passage_ids()) == passages
        assert set(passages) == self.index.vectors.ids() == self.index.lexical.ids()

    @invariant()
    def finds_what_the_dict_holds(self):
        words = {passage.id: passage.text for article in self.model.values() for passage in chunk_article(article)}
        for word in WORDS:
            expected = {id_ for id_, text in words.items() if word in text}
            hits = dict(self.index.lexical.query(word, 50, Filters()))
            assert set(hits) == expected
        if self.model:
            hits = Retriever(self.index).retrieve("Who saw the zeppelin near the town?", k=50)
            told = {hit.article.id for hit in hits} | {id_ for hit in hits for id_ in hit.copies}
            assert told == set(self.model)
            assert all(hit.article == self.model[hit.article.id] for hit in hits)
            assert all(hit.passage.span.slice(hit.article.text) == hit.passage.text for hit in hits)

    def teardown(self):
        """At last the library finds what a fresh one with the same articles finds."""
        if self.model:
            with open_index(self.root / "fresh", FakeEmbedder()) as fresh:
                order = [info.id for info in self.index.library.articles()]
                add_articles(fresh, [self.model[id_] for id_ in order])
                for question in WORDS:
                    found, expected = (Retriever(one).retrieve(question, k=50) for one in (self.index, fresh))
                    plain = [{(h.passage, h.story) for h in hits} for hits in (found, expected)]
                    assert plain[0] == plain[1]
        self.index.close()
        shutil.rmtree(self.root)


def run_machine(max_examples, steps):
    profile = settings(
        max_examples=max_examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        derandomize=True,
    )
    run_state_machine_as_test(LibraryMachine, settings=profile)


def test_a_library_is_a_dict_on_disk():
    run_machine(max_examples=3, steps=8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_library_is_a_dict_on_disk_for_long():
    run_machine(max_examples=30, steps=30)
