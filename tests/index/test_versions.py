"""Former versions and removed articles: where they may still be read, and that they are in no file after compacting."""

import pytest

from corpus.errors import ArticleNotFoundError
from index.doctor import compact
from index.ingest import add_articles, remove_articles
from index.library_write import look_up
from index.open import open_index
from index.retrieve import Retriever
from tests.fakes import FakeEmbedder, make_article

REST = " The harbour was closed for an hour, and opened again." * 200  # fills pages that nothing takes over by chance
OLD = make_article("The xylozebra landed in the harbour at noon, said the mayor." + REST, id="a", title="Harbour")
NEW = make_article("The gryphotrout landed in the harbour at noon, said the mayor.", id="a", title="Harbour")
GONE = make_article("A quokkafern was seen on the roof of the town hall.", id="b", title="Roof")
KEPT = make_article("The school will be painted in the summer.", id="c", title="School")


def fill(folder, **options):
    with open_index(folder, FakeEmbedder(), **options) as index:
        add_articles(index, [OLD, GONE, KEPT])
        index.vectors, index.lexical  # noqa: B018  # both are on disk
        add_articles(index, [NEW])
        remove_articles(index, ["b"])


def files_with(folder, word):
    """Return the names of the files that hold a word in any usual writing."""
    wanted = [word.encode(), word.encode("utf-16-le"), word[:8].encode()]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)) for path in files if any(one in path.read_bytes() for one in wanted)}


@pytest.mark.parametrize("keep", [None, False, True])
def test_former_versions_and_removed_articles_are_never_found(folder, keep):
    fill(folder, keep_versions=keep)
    with open_index(folder, FakeEmbedder()) as index:
        retriever = Retriever(index)
        for word in ("xylozebra", "quokkafern"):
            assert all(word not in hit.article.text for hit in retriever.retrieve(f"Where was the {word}?", k=50))
        assert retriever.retrieve("Where was the gryphotrout?")[0].article == NEW
        assert [info.id for info in index.library.articles()] == ["a", "c"]
        assert {article.text for article in index.library.all_articles()} == {NEW.text, KEPT.text}
        assert look_up(index.library.file, [OLD, GONE]).versions == {"a": NEW.version}


def test_a_former_version_is_readable_only_while_versions_are_kept(folder):
    fill(folder, keep_versions=True)
    with open_index(folder, FakeEmbedder()) as index:  # a process that does not say leaves it as it is
        assert index.library.version("a", OLD.version) == OLD
        assert index.library.version("a", NEW.version) == NEW == index.library.article("a")
    compact(folder)
    with open_index(folder, FakeEmbedder()) as index:
        assert index.library.version("a", OLD.version) == OLD
    with open_index(folder, FakeEmbedder(), keep_versions=False) as index:
        with pytest.raises(ArticleNotFoundError, match="BYLINE_KEEP_VERSIONS"):
            index.library.version("a", OLD.version)
        with pytest.raises(ArticleNotFoundError):
            index.library.version("b", GONE.version)


def test_removing_an_article_removes_its_former_versions_too(folder):
    fill(folder, keep_versions=True)
    with open_index(folder, FakeEmbedder()) as index:
        remove_articles(index, ["a"])
        with pytest.raises(ArticleNotFoundError):
            index.library.version("a", OLD.version)
    compact(folder)
    assert files_with(folder, "xylozebra") == set()


@pytest.mark.parametrize("turned_off_later", [False, True])
def test_after_compact_no_file_holds_what_was_removed_or_replaced(folder, turned_off_later):
    if turned_off_later:
        fill(folder, keep_versions=True)
        open_index(folder, FakeEmbedder(), keep_versions=False).close()
    else:
        fill(folder)
    assert bool(files_with(folder, "xylozebra")) >= turned_off_later  # an SQLite may overwrite what it deletes
    compact(folder)
    assert files_with(folder, "xylozebra") == files_with(folder, "quokkafern") == set()
    assert "library.sqlite3" in files_with(folder, "gryphotrout")
    with open_index(folder, FakeEmbedder()) as index:
        assert Retriever(index).retrieve("Where was the gryphotrout?")[0].article == NEW
