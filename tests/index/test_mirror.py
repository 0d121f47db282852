"""Mirroring a folder removes what is certainly gone and nothing else."""

import json
import os
import shutil

import pytest

from corpus.load import load_sources, origin_of
from corpus.types import LoadFailure
from index.mirror import mirror_articles
from tests.fakes import make_article


@pytest.fixture
def papers(tmp_path):
    """Four articles in files, two of them in a sub-folder, and three in rows."""
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    for name in ("a", "b", "old/c", "old/d"):
        (folder / f"{name}.txt").write_text(f"The article called {name[-1]}.")
    write_rows(folder, ["r1", "r2", "r3"])
    return folder


def write_rows(folder, ids, last=""):
    rows = "".join(json.dumps({"id": id_, "title": id_, "text": f"Text of {id_}."}) + "\n" for id_ in ids)
    (folder / "rows.jsonl").write_text(rows + last)


def mirror(index, *folders):
    return mirror_articles(index, load_sources(folders), [origin_of(folder) for folder in folders])


def names(index):
    """Return the articles by their files' stems, or the ids of rows."""
    infos = index.library.articles()
    return {info.id if info.id.startswith("r") else info.id.rpartition("-")[0] for info in infos}


EVERYTHING = {"a", "b", "c", "d", "r1", "r2", "r3"}


def test_mirror_removes_files_folders_and_rows_that_are_gone(index, papers):
    assert len(mirror(index, papers).added) == 7 and names(index) == EVERYTHING
    assert mirror(index, papers).removed == ()
    (papers / "a.txt").unlink()
    shutil.rmtree(papers / "old")
    write_rows(papers, ["r1", "r3"])
    report = mirror(index, papers)
    assert names(index) == {"b", "r1", "r3"}
    assert len(report.removed) == 4 and len(report.unchanged) == 3
    assert index.library.n_passages() == len(index.vectors.ids()) == len(index.lexical.ids()) == 3


def test_mirror_leaves_what_came_from_elsewhere(index, papers, tmp_path):
    beside = tmp_path / "papers-2"
    beside.mkdir()
    (beside / "e.txt").write_text("The article called e.")
    (beside / "copy of a.txt").write_text("The article called a.")
    mirror(index, papers)
    mirror(index, beside)
    (papers / "a.txt").unlink()
    (papers / "b.txt").unlink()
    (beside / "e.txt").unlink()
    report = mirror(index, papers)
    assert [id_.rpartition("-")[0] for id_ in report.removed] == ["b"]
    (info,) = [info for info in index.library.articles() if info.id.startswith("a-")]
    assert info.origins == (origin_of(beside / "copy of a.txt"),)
    assert "e" in names(index)


def test_mirror_removes_the_id_that_a_file_no_longer_gives(index, papers):
    (papers / "f.md").write_text("---\nid: r-first\n---\nThe article called f.")
    mirror(index, papers)
    (papers / "f.md").write_text("---\nid: r-second\n---\nThe article called f.")
    assert mirror(index, papers).removed == ("r-first",)
    assert "r-second" in names(index)


def test_mirror_keeps_an_article_that_moved(index, papers):
    mirror(index, papers)
    (papers / "a.txt").rename(papers / "z.txt")
    report = mirror(index, papers)
    assert report.removed == () and names(index) == EVERYTHING
    assert origin_of(papers / "z.txt") in {origin for info in index.library.articles() for origin in info.origins}


def break_file(papers):
    (papers / "a.txt").write_bytes(b"")


def break_row(papers):
    write_rows(papers, ["r1"], last="{not JSON\n")


def empty_folder(papers):
    shutil.rmtree(papers)
    papers.mkdir()


def hang_link(papers):
    (papers / "a.txt").unlink()
    (papers / "a.txt").symlink_to(papers / "nowhere")


@pytest.mark.parametrize("harm", [break_file, break_row, empty_folder, hang_link])
def test_mirror_removes_nothing_that_it_could_not_read(index, papers, harm):
    mirror(index, papers)
    harm(papers)
    assert mirror(index, papers).removed == () and names(index) == EVERYTHING


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind this user")
def test_mirror_keeps_what_is_in_a_folder_that_cannot_be_entered(index, papers):
    mirror(index, papers)
    (papers / "old").chmod(0)
    report = mirror(index, papers)
    (papers / "old").chmod(0o700)
    assert report.removed == () and names(index) == EVERYTHING


def test_mirror_keeps_what_is_below_a_folder_that_failed(index, papers):
    mirror(index, papers)
    found = list(load_sources([papers]))
    shutil.rmtree(papers / "old")
    kept = [item for item in found if "/old/" not in item.origin]
    failure = LoadFailure(origin_of(papers / "old"), "It may not be entered.")
    report = mirror_articles(index, [failure, *kept], [origin_of(papers)])
    assert report.removed == () and names(index) == EVERYTHING


def test_mirror_that_is_broken_off_removes_nothing(index, papers):
    mirror(index, papers)

    def broken():
        yield make_article("One article.", origin=origin_of(papers / "b.txt"))
        raise KeyboardInterrupt

    shutil.rmtree(papers)
    with pytest.raises(KeyboardInterrupt):
        mirror_articles(index, broken(), [origin_of(papers)])
    assert names(index) >= EVERYTHING
