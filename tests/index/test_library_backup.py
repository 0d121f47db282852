import threading
import zipfile

import pytest

from corpus.errors import ArticleFormatError, IndexingError, IndexMissingError
from index.doctor import check
from index.ingest import add_articles
from index.library_backup import back_up, restore
from index.open import open_index
from tests.fakes import make_article


def fill(index, first, last):
    add_articles(index, [make_article(f"Report {n}. It rained in town {n}.", f"r{n}") for n in range(first, last)])


def test_backup_of_an_open_library_restores_to_one_that_is_well(folder, index, embedder, tmp_path):
    fill(index, 0, 5)
    (folder / "kept.jsonl").write_text("{}\n")
    (folder / "uploads").mkdir()
    (folder / "uploads" / "a.txt").write_text("A.")
    assert back_up(folder, tmp_path / "b.zip") == (tmp_path / "b.zip").stat().st_size
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert restore(tmp_path / "b.zip", tmp_path / "copy") == 5
    assert all(finding.ok for finding in check(tmp_path / "copy"))
    assert (tmp_path / "copy" / "uploads" / "a.txt").read_text() == "A."
    assert (tmp_path / "copy" / "kept.jsonl").read_text() == "{}\n"
    with open_index(tmp_path / "copy", embedder) as copy:
        assert copy.library.articles() == index.library.articles()
        assert copy.library.article("r3") == index.library.article("r3")
    assert [path.name for path in tmp_path.glob(".byline-*")] == []


def test_backups_made_while_articles_come_in_are_each_one_moment(folder, index, tmp_path):
    fill(index, 0, 1)
    writer = threading.Thread(target=lambda: [fill(index, n, n + 2) for n in range(1, 40, 2)])
    writer.start()
    counts = []
    while writer.is_alive() and len(counts) < 5:
        back_up(folder, tmp_path / f"{len(counts)}.zip")
        counts.append(restore(tmp_path / f"{len(counts)}.zip", tmp_path / f"copy{len(counts)}"))
    writer.join()
    assert counts == sorted(counts) and all(count % 2 for count in counts)  # two at a time, after the first


def test_backup_goes_on_when_an_uploaded_file_is_removed_meanwhile(folder, index, tmp_path, monkeypatch):
    (folder / "uploads").mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / "uploads" / name).write_text("Words.")
    write = zipfile.ZipFile.write

    def removes(self, path, name):
        if name == "uploads/a.txt":
            path.unlink()
        write(self, path, name)

    monkeypatch.setattr(zipfile.ZipFile, "write", removes)
    back_up(folder, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert bundle.namelist() == ["library.sqlite3", "uploads/b.txt"] and bundle.testzip() is None


def test_backup_refuses_in_one_sentence(folder, index, tmp_path):
    (tmp_path / "there.zip").touch()
    with pytest.raises(IndexingError, match="there already"):
        back_up(folder, tmp_path / "there.zip")
    with pytest.raises(IndexingError, match="cannot be written"):
        back_up(folder, tmp_path / "nowhere" / "b.zip")
    with pytest.raises(IndexMissingError, match="no library"):
        back_up(tmp_path / "empty", tmp_path / "b.zip")


def test_restore_refuses_what_is_no_backup_and_leaves_nothing(folder, index, tmp_path):
    back_up(folder, tmp_path / "good.zip")
    with pytest.raises(IndexingError, match="holds a library already"):
        restore(tmp_path / "good.zip", folder)
    (tmp_path / "text.zip").write_text("Hello.")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as evil:
        evil.writestr("library.sqlite3", b"")
        evil.writestr("uploads/../../evil.txt", b"evil")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("letter.txt", b"Hello.")
    whole = (tmp_path / "good.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    for name in ("text.zip", "evil.zip", "other.zip", "cut.zip"):
        with pytest.raises(ArticleFormatError, match="backup"):
            restore(tmp_path / name, tmp_path / "copy")
    assert not (tmp_path / "evil.txt").exists() and not (tmp_path / "copy" / "library.sqlite3").exists()
