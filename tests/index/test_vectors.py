import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexMismatchError, LibraryDamagedError
from index import vectors_exact
from index.ingest import add_articles, remove_articles
from index.vectors_chroma import ChromaVectors
from index.vectors_exact import ExactVectors
from tests.fakes import FakeEmbedder, make_article

ROOT = Path(__file__).parents[2]
WORDS = ("river", "border", "treaty", "flight", "court", "minister", "journalist", "harvest", "election", "airport")


@pytest.fixture
def library(index):
    articles = [make_article(f"The {word} and the {WORDS[n - 1]}.", id=f"a{n}") for n, word in enumerate(WORDS)]
    twins = [make_article("Same words, same vector.", id=f"twin{n}", title="Twin", id_given=True) for n in range(3)]
    add_articles(index, articles + twins)
    return index.library


@pytest.fixture(params=["chroma", "exact"])
def vectors(request, library, embedder, tmp_path):
    """Each implementation, holding what the library holds."""
    if request.param == "exact":
        yield ExactVectors(library, embedder.fingerprint)
        return
    chroma = ChromaVectors(tmp_path / "chroma", embedder.dim)
    chroma.upsert(*library.known_vectors(library.passage_ids()))
    yield chroma
    chroma.close()


def slow_reference(library, vector, k):
    ids = library.passage_ids()
    scores = np.round(library.vectors(ids) @ vector, 6)
    return sorted(((id_, float(score)) for id_, score in zip(ids, scores, strict=True)), key=lambda p: (-p[1], p[0]))[
        :k
    ]


@pytest.mark.parametrize("k", [1, 5, 15, 100])
def test_query_gives_the_cosines_of_a_slow_scan(vectors, library, embedder, k):
    question = embedder.embed_question("Which journalist crossed the border?")
    expected = slow_reference(library, question, k)
    found = vectors.query(question, k)
    assert len(found) == min(k, library.n_passages())
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=2e-6)
    assert all(isinstance(score, float) and -1.00001 <= score <= 1.00001 for _, score in found)
    scores = [score for _, score in slow_reference(library, question, 100)]
    clear = [id_ for id_, score in expected if sum(abs(score - other) < 1e-4 for other in scores) == 1]
    assert [id_ for id_, _ in found if id_ in clear] == clear


def test_query_breaks_ties_by_passage_id(vectors, library, embedder):
    twins = [passage.id for n in (0, 1, 2) for passage in library.passages_of(f"twin{n}")]
    assert [id_ for id_, _ in vectors.query(library.vectors(twins[:1])[0], 3)] == sorted(twins)


def test_query_of_a_stored_vector_finds_it_with_cosine_one(vectors, library):
    id_ = library.passages_of("a3")[0].id
    assert vectors.query(library.vectors([id_])[0], 1) == [(id_, pytest.approx(1.0, abs=2e-6))]


def test_remove_forgets_and_does_not_mind_unknown_ids(vectors, library, index):
    id_ = library.passages_of("a3")[0].id
    vector = library.vectors([id_])[0]
    remove_articles(index, ["a3"])
    vectors.remove([id_, id_, "unknown"])
    assert id_ not in dict(vectors.query(vector, 100))
    assert len(vectors.query(vector, 100)) == library.n_passages()
    vectors.remove([])


def test_query_refuses_vectors_it_cannot_compare(vectors, embedder):
    with pytest.raises(IndexMismatchError, match="byline reindex"):
        vectors.query(np.ones(embedder.dim + 1, np.float32), 3)
    with pytest.raises(ValueError, match="NaN"):
        vectors.query(np.full(embedder.dim, np.nan, np.float32), 3)


def test_exact_query_within_looks_at_the_given_passages_only(library, embedder):
    exact = ExactVectors(library, embedder.fingerprint)
    question = embedder.embed_question("the river and the treaty")
    ids = [library.passages_of(id_)[0].id for id_ in ("a5", "a2", "a5")] + ["unknown"]
    reference = dict(exact.query(question, 100))
    found = exact.query_within(question, 10, ids)
    assert found == [(id_, reference[id_]) for id_, _ in found] and {id_ for id_, _ in found} == set(ids[:2])
    assert exact.query_within(question, 10, []) == [] and exact.query_within(question, 0, ids) == []


def test_exact_vectors_follow_the_library(index, library, embedder):
    exact = ExactVectors(library, embedder.fingerprint)
    question = embedder.embed_question("zeppelin")
    before = exact.query(question, 1)[0][1]
    add_articles(index, [make_article("zeppelin zeppelin", id="a1"), make_article("A zeppelin.", id="new")])
    found = exact.query(question, 100)
    reference = slow_reference(library, question, 100)
    assert dict(found) == pytest.approx(dict(reference), abs=2e-6) and found[0][1] > before


def test_exact_vectors_read_in_parts_are_those_read_at_once(index, library, embedder, monkeypatch):
    at_once = ExactVectors(library, embedder.fingerprint)
    monkeypatch.setattr(vectors_exact, "_READ", 2)
    in_parts = ExactVectors(library, embedder.fingerprint)
    question = embedder.embed_question("first sentence")
    assert len(library.passage_ids()) > 2
    assert in_parts.query(question, 100) == at_once.query(question, 100)
    add_articles(index, [make_article("The zeppelin landed. " * 90, id="new")])
    assert in_parts.query(question, 100) == at_once.query(question, 100)
    assert len(in_parts.query(question, 100)) == len(library.passage_ids())


def test_exact_vectors_refuse_another_embedder(library):
    with pytest.raises(IndexMismatchError, match="byline reindex"):
        ExactVectors(library, FakeEmbedder(32).fingerprint)


def test_chroma_upsert_replaces_and_takes_more_than_its_batch_limit(tmp_path):
    chroma = ChromaVectors(tmp_path / "chroma", 8)
    ids = [f"p{n:05}" for n in range(5_462)]
    rows = np.random.default_rng(7).standard_normal((len(ids) + 1, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)  # of equal ones the graph may not find the one that differs
    *first, new = rows
    chroma.upsert(ids, np.array(first))
    chroma.upsert(["p00007"], new[None])
    assert chroma.count() == len(ids)
    ((found, cosine),) = chroma.query(new, 1)
    assert found == "p00007" and cosine == pytest.approx(1.0)
    assert chroma.stored(["p00007"])["p00007"] == pytest.approx(new)
    with pytest.raises(IndexMismatchError, match="shape"):
        chroma.upsert(["p1", "p2"], new[None])
    chroma.close()


def test_chroma_recall_against_an_exact_scan(tmp_path):
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((2_000, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    questions = rng.standard_normal((100, 384)).astype(np.float32)
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    ids = [f"p{n:04}" for n in range(len(rows))]
    chroma = ChromaVectors(tmp_path / "chroma", 384)
    chroma.upsert(ids, rows)
    found = 0
    for question in questions:
        best = {ids[row] for row in np.argsort(-(rows @ question))[:10]}
        found += len(best & {id_ for id_, _ in chroma.query(question, 100)[:10]})
    chroma.close()
    assert found / (10 * len(questions)) >= 0.999


def test_chroma_keeps_its_vectors_over_a_restart_and_refuses_another_width(tmp_path):
    chroma = ChromaVectors(tmp_path / "chroma", 2)
    chroma.upsert(["p1"], np.array([[0.6, 0.8]], np.float32))
    chroma.close()
    again = ChromaVectors(tmp_path / "chroma", 2)
    assert again.query(np.array([0.6, 0.8], np.float32), 5) == [("p1", 1.0)] and again.ids() == {"p1"}
    again.close()
    with pytest.raises(IndexMismatchError, match="2 numbers"):
        ChromaVectors(tmp_path / "chroma", 3)


def test_chroma_refuses_another_distance(tmp_path):
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(tmp_path / "chroma"), settings=settings)
    client.create_collection("passages", embedding_function=None, configuration={"hnsw": {"space": "l2"}})
    client.close()
    with pytest.raises((IndexMismatchError, LibraryDamagedError), match="byline doctor --repair"):
        ChromaVectors(tmp_path / "chroma", 2)


def test_chroma_says_what_is_wrong_with_a_broken_folder(tmp_path):
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"no database " * 500)
    for _ in range(2):  # the second opening meets what the first left in Chroma's own cache
        with pytest.raises(LibraryDamagedError, match="byline doctor --repair"):
            ChromaVectors(tmp_path / "chroma", 2)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("CHROMA_API_IMPL=nowhere.Api\nIS_PERSISTENT=false\nANONYMIZED_TELEMETRY=true\n", "[('p1', 1.0)]"),
        ("CHROMA_SERVER_HTTP_PORT=abc\n", "IndexingError Chroma cannot be loaded"),
    ],
    ids=["harmless", "invalid"],
)
def test_chroma_takes_no_settings_from_a_dotenv_file(tmp_path, line, answer):
    code = """
import sys, numpy as np
from pathlib import Path
from corpus.errors import IndexingError
try:
    from index.vectors_chroma import ChromaVectors
    chroma = ChromaVectors(Path("chroma"), 2)
    chroma.upsert(["p1"], np.array([[1, 0]], np.float32))
    print(chroma.query(np.array([1, 0], np.float32), 1))
except IndexingError as error:
    print("IndexingError", error)
"""
    (tmp_path / ".env").write_text(line)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.stdout.startswith(answer), run.stderr
    assert run.stdout.count("\n") == 1
