import os
import subprocess
import sys

import pytest

from corpus.load import MAX_FILE_BYTES, bundled_articles, count_sources, load_sources
from corpus.types import Article, LoadFailure

TEXT = "The council voted 7 to 2 on Tuesday."


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{TEXT} {name}")
    return folder


def only(source):
    (loaded,) = load_sources([source])
    return loaded


def failure(source):
    loaded = only(source)
    assert isinstance(loaded, LoadFailure)
    assert "\n" not in loaded.reason
    assert loaded.reason.endswith(".")
    return loaded


def test_load_sources_walks_a_folder_in_the_order_of_relative_paths(tmp_path):
    write(tmp_path, "b.txt", "a/z.txt", "a.md", "a/sub/c.TXT", ".hidden.txt", ".git/x.txt", "picture.png", "a-b/x.txt")
    origins = [article.origin for article in load_sources([tmp_path])]
    relative = [origin.removeprefix(f"{tmp_path.as_posix()}/") for origin in origins]
    assert relative == ["a-b/x.txt", "a.md", "a/sub/c.TXT", "a/z.txt", "b.txt"]


def test_load_sources_keeps_the_order_of_sources_and_loads_each_file_once(tmp_path):
    write(tmp_path, "b.txt", "a.txt")
    articles = list(load_sources([tmp_path / "b.txt", str(tmp_path), tmp_path / "sub" / ".." / "a.txt"]))
    assert [article.origin.rsplit("/", 1)[1] for article in articles] == ["b.txt", "a.txt"]


def test_load_sources_fills_the_article(tmp_path):
    write(tmp_path, "Ferry vote.txt")
    article = only(tmp_path)
    assert article.text == f"{TEXT} Ferry vote.txt"
    assert article.title == f"{TEXT}"
    assert article.origin == (tmp_path / "Ferry vote.txt").as_posix()
    assert article.id.startswith("ferry-vote-")
    assert (article.id_given, article.source, article.url, article.published) == (False, None, None, None)


def test_load_sources_gives_the_same_id_from_another_folder(tmp_path, monkeypatch):
    write(tmp_path, "a.txt")
    absolute = only(tmp_path / "a.txt")
    monkeypatch.chdir(tmp_path)
    assert only("a.txt") == absolute


def test_load_sources_survives_links_that_lead_in_circles(tmp_path):
    write(tmp_path, "a/one.txt")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    loaded = list(load_sources([tmp_path]))
    assert [article.origin.rsplit("/", 1)[1] for article in loaded] == ["one.txt"]


def test_load_sources_goes_on_after_a_bad_file(tmp_path):
    write(tmp_path, "a.txt", "c.txt")
    (tmp_path / "b.txt").write_bytes(bytes(range(256)) * 10)
    kinds = [type(loaded) for loaded in load_sources([tmp_path, tmp_path / "nowhere.txt", "ftp://example.com/x"])]
    assert kinds == [Article, LoadFailure, Article, LoadFailure, LoadFailure]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.docx", b"PK\x03\x04", ".txt, .md, .html, .pdf, .jsonl"),
        ("noextension", b"text", ".txt, .md, .html, .pdf, .jsonl"),
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\t\n", "empty"),
        ("a.txt", "\ufeff \u200b ".encode(), "no text"),
        ("a.txt", b"PK\x03\x04....", "Office document"),
        ("a.md", b"---\ntitle: T\n---\n", "no text"),
        ("a.pdf", b"no pdf at all", "damaged"),
        ("a.html", b"<html><body></body></html>", "no article"),
        ("a.jsonl", b"", "no rows"),
    ],
)
def test_load_sources_says_why_a_file_is_refused(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    failed = failure(tmp_path / name)
    assert reason in failed.reason
    assert failed.origin == (tmp_path / name).as_posix()


def test_load_sources_refuses_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    assert "regular file" in failure(tmp_path / "pipe.txt").reason
    assert "no such file" in failure(tmp_path / "nowhere.txt").reason
    assert "no file that can be read" in failure(tmp_path).reason


def test_load_sources_refuses_a_huge_file(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "larger than" in failure(tmp_path / "a.txt").reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_load_sources_reports_a_file_it_may_not_read(tmp_path):
    write(tmp_path, "a.txt")
    (tmp_path / "a.txt").chmod(0)
    assert "permission" in failure(tmp_path / "a.txt").reason


def test_load_sources_shows_odd_file_names(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9 \xf0\x9f\x9b\xb3.txt"
    with open(path, "w") as file:
        file.write(TEXT)
    article = only(tmp_path)
    assert article.origin.endswith("/caf\ufffd 🛳.txt")
    article.origin.encode()


def test_load_sources_reads_a_pdf_that_is_called_txt(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"%PDF-1.4 but damaged")
    assert "PDF" in failure(tmp_path / "a.txt").reason


def test_load_sources_imports_no_heavy_library_for_text(tmp_path):
    write(tmp_path, "a.txt", "b.md")
    code = (
        "import sys; from corpus.load import load_sources; n = len(list(load_sources(sys.argv[1:]))); "
        "heavy = {'trafilatura', 'pypdf', 'lxml', 'urllib.request', 'charset_normalizer', 'tiktoken', 'llama_index'}; "
        "print(n, sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "2 []"


def test_bundled_articles_is_inside_the_package():
    assert bundled_articles().parent.name == "corpus"


def test_count_sources_counts_what_will_be_loaded(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / "sub" / "empty.md").write_text("")
    (tmp_path / "rows.jsonl").write_text('{"text": "One."}\n\n{"text": "Two."}\n')
    (tmp_path / "broken.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "passed over.xyz").write_text("x")
    sources = [tmp_path, tmp_path / "a.txt", tmp_path / "missing.txt"]
    assert count_sources(sources) == len(list(load_sources(sources))) == 6
    assert count_sources(["https://example.org/a"]) == 1
