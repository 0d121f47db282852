"""Near-duplicates: found by bands, verified by text, linked as one story, folded in the hits."""

import itertools
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import library_stories
from index.ingest import add_articles, remove_articles
from index.library_file import APPLICATION_ID, LIBRARY_NAME
from index.library_stories import link_unlinked
from index.open import OpenIndex, open_index
from index.retrieve import Retriever
from index.shingles_rensa import NEAR_DUPLICATE, band_hashes, jaccard, shingles_of
from tests.fakes import FakeEmbedder, make_article

WORDS = [f"word{n}" for n in range(3000)]


def text_of(seed, changes=0, n_words=200):
    """Return words drawn by the seed; each change replaces one, at even distances, and with it up to five runs."""
    words = random.Random(seed).choices(WORDS, k=n_words)
    for change in range(changes):
        words[(change * n_words // changes) % n_words] = f"changed{seed}x{change}"
    return " ".join(words) + "."


def brute_force(articles):
    """Return the stories by comparing every pair, as first id by id."""
    sets = {article.id: shingles_of(article.text) for article in articles}
    story = {id_: id_ for id_ in sets}
    for one, other in itertools.combinations(sets, 2):
        if jaccard(sets[one], sets[other]) >= NEAR_DUPLICATE:
            old, new = sorted((story[one], story[other]), key=list(sets).index, reverse=True)
            story = {id_: new if name == old else name for id_, name in story.items()}
    return story


def stories(index):
    return index.library.stories([info.id for info in index.library.articles()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two three four five six.", {"one two three four five", "two three four five six"}),
        ("ONE, two — three: four (five)!", {"one two three four five"}),
        ("Too short.", {"too short"}),
        ("…!", set()),
        (
            "\u6771\u4eac\u3067\u5730\u9707 now",
            {"\u6771 \u4eac \u3067 \u5730 \u9707", "\u4eac \u3067 \u5730 \u9707 now"},
        ),
    ],
    ids=["runs", "no case or punctuation", "short", "no words", "no spaces"],
)
def test_shingles_of_are_runs_of_five_words(text, expected):
    assert shingles_of(text) == expected


@given(st.frozensets(st.sampled_from("abcdef")), st.frozensets(st.sampled_from("abcdef")))
def test_jaccard_is_the_shared_part_of_the_union(one, other):
    union = one | other
    assert jaccard(one, other) == (len(one & other) / len(union) if union else 0.0)


def test_near_duplicates_nearly_always_share_a_band_and_others_hardly_ever():
    near = far = 0
    for seed in range(200):
        bands = set(band_hashes(shingles_of(text_of(seed))))
        near += not bands.isdisjoint(band_hashes(shingles_of(text_of(seed, changes=4))))  # 0.82 alike
        far += not bands.isdisjoint(band_hashes(shingles_of(text_of(seed, changes=20))))  # 0.33 alike
    assert near >= 198 and far <= 20
    assert band_hashes(shingles_of("…")) == []


def test_bands_are_the_same_in_every_process():
    """They are stored, so they must not depend on Python's hash seed or on the release that made them."""
    assert band_hashes(shingles_of("One two three four five six seven."))[:2] == [
        4536961498190421355,
        6155379926383030976,
    ]


def test_near_duplicates_are_one_story_under_the_id_of_the_first(index):
    add_articles(index, [make_article(text_of(1), id="m"), make_article(text_of(2), id="n")])
    add_articles(index, [make_article(text_of(1, changes=2), id="a", id_given=True)])
    assert stories(index) == {"m": "m", "n": "n", "a": "m"}
    assert index.library.stories(["a", "gone"]) == {"a": "m"}
    infos = {info.id: info for info in index.library.articles()}
    assert (infos["a"].story, infos["m"].story, infos["n"].story) == ("m", "m", None)
    assert infos["a"].to_dict()["story"] == "m" and "story" not in infos["n"].to_dict()


def test_pairs_that_share_a_band_are_linked_only_if_their_texts_are_alike(index, monkeypatch):
    monkeypatch.setattr(library_stories, "band_hashes", lambda shingles: [7])
    add_articles(index, [make_article(text_of(1), id="a"), make_article(text_of(1, changes=6), id="b")])
    assert 0.7 < jaccard(shingles_of(text_of(1)), shingles_of(text_of(1, changes=6))) < NEAR_DUPLICATE
    assert stories(index) == {"a": "a", "b": "b"}


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_stories_depend_on_what_is_stored_and_not_on_its_history(data, tmp_path_factory):
    """Chains of edits, removals and returns, against comparing every pair; 1 and 3 changes are one story, 12 none."""
    ids = ["a", "b", "c", "d", "e", "f"]
    version = st.tuples(st.integers(1, 2), st.sampled_from([0, 1, 3, 12]))
    stored = {}
    with pytest.MonkeyPatch.context() as quick, open_index(tmp_path_factory.mktemp("s") / "l", FakeEmbedder()) as index:
        quick.setattr(OpenIndex, "catch_up", lambda index: None)  # stories are the truth's; the indexes take a second
        for _ in range(data.draw(st.integers(1, 6))):
            wanted = data.draw(st.dictionaries(st.sampled_from(ids), st.none() | version, min_size=1))
            articles = [make_article(text_of(*v), id=id_, id_given=True) for id_, v in wanted.items() if v]
            add_articles(index, articles)
            gone = [id_ for id_, v in wanted.items() if v is None and id_ in stored]
            remove_articles(index, gone)
            stored.update({article.id: article for article in articles})
            for id_ in gone:
                del stored[id_]
            order = [info.id for info in index.library.articles()]
            assert stories(index) == brute_force([stored[id_] for id_ in order])


def test_a_story_that_loses_its_bridge_falls_apart(index):
    words = text_of(1).split()
    left, right = ["left"] * 8 + words[8:], words[:-8] + ["right"] * 8
    texts = {"left": left, "bridge": words, "right": right}
    articles = [make_article(" ".join(text), id=id_) for id_, text in texts.items()]
    add_articles(index, articles)
    ends = jaccard(shingles_of(articles[0].text), shingles_of(articles[2].text))
    assert ends < NEAR_DUPLICATE + 0.1 and set(stories(index).values()) == {"left"}
    remove_articles(index, ["bridge"])
    assert stories(index) == brute_force([articles[0], articles[2]])


def test_one_more_article_is_compared_with_its_like_alone(index, monkeypatch):
    add_articles(index, [make_article(text_of(seed, n_words=30), id=f"a{seed}") for seed in range(150)])
    read = []
    shingles = library_stories.shingles_of
    monkeypatch.setattr(library_stories, "shingles_of", lambda text: read.append(text) or shingles(text))
    add_articles(index, [make_article(text_of(7, changes=1, n_words=30), id="new")])
    assert stories(index)["new"] == "a7" and len(read) <= 4


def test_a_notice_sent_a_thousand_times_stays_cheap(index, monkeypatch):
    monkeypatch.setattr(library_stories, "_PER_BAND", 3)
    read = []
    shingles = library_stories.shingles_of
    monkeypatch.setattr(library_stories, "shingles_of", lambda text: read.append(text) or shingles(text))
    add_articles(index, [make_article(text_of(1), id=f"a{n}", id_given=True) for n in range(60)])
    assert set(stories(index).values()) == {"a0"} and len(read) <= 2 * 60
    monkeypatch.setattr(library_stories, "_COMPARED_ANEW", 10)
    remove_articles(index, ["a0"])
    assert set(stories(index).values()) == {"a1"}


def as_schema_1(folder, target):
    """Copy a library into a file that the first schema made."""
    source = sqlite3.connect(folder / LIBRARY_NAME)
    target.mkdir()
    old = sqlite3.connect(target / LIBRARY_NAME)
    old.executescript((Path(__file__).parent / "schema_1.sql").read_text())
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("PRAGMA user_version = 1")
    for (table,) in old.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall():
        columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})") if row[1] != "story"]
        columns = [name for name in columns if name != "shingles"]
        rows = source.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
        old.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
    old.execute("DELETE FROM indexes")
    old.commit()
    old.close()
    source.close()


def schema_of(index):
    """Return all columns by table, and the names of all indexes and views."""
    with index.library.file.reading() as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY 1, 2").fetchall()
        tables = [name for kind, name in names if kind == "table"]
        columns = {name: sorted(r[1:4] for r in connection.execute(f"PRAGMA table_info({name})")) for name in tables}
    return names, columns


def test_a_library_of_the_first_schema_is_taken_further(folder, tmp_path, embedder, monkeypatch):
    articles = [make_article(text_of(1), id="a"), make_article(text_of(2), id="b")]
    articles.append(make_article(text_of(1, changes=2), id="c"))
    with open_index(folder, embedder) as index:
        add_articles(index, articles)
        new_schema = schema_of(index)
        hits = Retriever(index).retrieve(text_of(2))
    as_schema_1(folder, tmp_path / "old")
    monkeypatch.setattr(library_stories, "_AT_ONCE", 2)
    with open_index(tmp_path / "old", embedder) as index:
        assert stories(index) == {"a": "a", "b": "b", "c": "a"}
        assert [index.library.article(article.id) for article in articles] == articles
        assert schema_of(index) == new_schema
        assert Retriever(index).retrieve(text_of(2)) == hits
        assert link_unlinked(index.library.file) == 0
        assert add_articles(index, articles).unchanged == ("a", "b", "c")


def test_a_migration_that_fails_leaves_the_library_as_it_was(folder, tmp_path, embedder, monkeypatch):
    with open_index(folder, embedder) as index:
        add_articles(index, [make_article(text_of(1), id="a")])
    as_schema_1(folder, tmp_path / "old")
    path = tmp_path / "old" / LIBRARY_NAME
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bands (stranger)")  # the last statement of the script fails
    connection.commit()
    with pytest.raises(Exception, match="bands"):
        open_index(tmp_path / "old", embedder)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.execute("DROP TABLE bands")
    connection.commit()
    connection.close()
    with open_index(tmp_path / "old", embedder) as index:
        assert stories(index) == {"a": "a"}


def test_bands_of_another_method_are_made_anew(folder, embedder, monkeypatch):
    with open_index(folder, embedder) as index:
        add_articles(index, [make_article(text_of(1), id="a"), make_article(text_of(1, changes=1), id="b")])
    monkeypatch.setattr(library_stories, "METHOD", "another")
    monkeypatch.setattr(library_stories, "band_hashes", lambda shingles: [len(shingles)])
    with open_index(folder, embedder) as index:
        assert stories(index) == {"a": "a", "b": "a"}
        with index.library.file.reading() as connection:
            assert connection.execute("SELECT count(DISTINCT hash), count(*) FROM bands").fetchone() == (1, 2)


TOLD = "The ferry to the island was cancelled on Monday because of the storm. " * 2
REST = " ".join(f"Sentence number{n} of the report says something of its own." for n in range(40))


@pytest.fixture
def wire(index):
    """One report in three papers: as it came, with another first word, and with a paragraph of its own."""
    body = f"{TOLD}\n\n{REST}"
    extra = "The captain, a zebra breeder, refused to comment on any of this yesterday evening."
    add_articles(
        index,
        [
            make_article(body, id="b", title="Ferry", source="One"),
            make_article(f"Yesterday: {body}", id="a", title="Ferry", source="Two"),
            make_article(f"{body}\n\n{extra}", id="c", title="Ferry", source="Three"),
            make_article("A ferry is a boat that carries people over water.", id="d", title="Boats"),
        ],
    )
    return index


def test_a_story_never_fills_the_hits_twice(wire):
    assert stories(wire) == {"b": "b", "a": "b", "c": "b", "d": "d"}
    hits = Retriever(wire).retrieve("Why was the ferry to the island cancelled on Monday?")
    told = [hit for hit in hits if "cancelled on Monday" in hit.passage.text]
    assert len(told) == 1 and {told[0].article.id, *told[0].copies} == {"a", "b", "c"}
    assert told[0].story == "b" and told[0].to_dict()["copies"] == list(told[0].copies)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert "d" in {hit.article.id for hit in hits}
    (other,) = [hit for hit in hits if hit.article.id == "d"]
    assert other.copies == () and other.story == "d" and "copies" not in other.to_dict()


def test_what_only_one_version_of_a_story_says_is_found(wire):
    hits = Retriever(wire).retrieve("What did the captain, a zebra breeder, do?", k=3)
    assert hits[0].article.id == "c" and "zebra" in hits[0].passage.text


def test_a_corrected_figure_is_not_folded(index):
    body = f"The flood killed 12 people in the valley, said the mayor of the town. {REST}"
    add_articles(index, [make_article(body, id="a"), make_article(body.replace("12", "15"), id="b")])
    assert set(stories(index).values()) == {"a"}
    hits = Retriever(index).retrieve("How many people did the flood kill in the valley?")
    assert {hit.article.id for hit in hits if "flood killed" in hit.passage.text} == {"a", "b"}
    assert {hit.story for hit in hits} == {"a"}


def test_retrieve_gives_k_hits_when_copies_are_left_out(index):
    add_articles(index, [make_article(f"{TOLD}{REST}", id=f"copy{n}", id_given=True) for n in range(8)])
    add_articles(index, [make_article(f"The ferry number{n} sank.", id=f"own{n}") for n in range(4)])
    retriever = Retriever(index)
    hits = retriever.retrieve("ferry", k=4)
    assert len(hits) == 4 and len({hit.article.id for hit in hits if hit.article.id.startswith("copy")}) <= 1
    assert retriever.retrieve("ferry", k=2) == hits[:2] or hits[0].copies  # copies met later are named in longer lists
