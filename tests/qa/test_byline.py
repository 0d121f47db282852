"""The Python API over a real library, with fake encoder and reader."""

import ast
import asyncio
import subprocess
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import qa
from corpus.errors import ArticleNotFoundError, EmptyCorpusError, LibraryBusyError, SettingsError
from corpus.types import LoadFailure
from index.types import Filters
from qa.byline import Byline
from qa.settings import Settings
from tests.fakes import FakeEmbedder, FakeReader, make_article

ROOT = Path(__file__).parents[2]
KIGALI = make_article("Officials in Kigali confirmed the flight.", "a1", source="AP", id_given=True)
LONDON = make_article("The court in London ended the plan.", "a2", source="BBC", id_given=True)
# Each costs a tenth of a second or more, and an import of `qa` needs none of them.
HEAVY = {"numpy", "onnxruntime", "chromadb", "tantivy", "tiktoken", "gradio", "llama_index", "fastapi", "pydantic"}


def open_fake(folder, **parts) -> Byline:
    settings = Settings(library=folder)
    return Byline(folder, settings, **({"embedder": FakeEmbedder(), "reader": FakeReader()} | parts))


@pytest.fixture
def byline(tmp_path):
    with open_fake(tmp_path) as opened:
        opened.add_articles([KIGALI, LONDON])
        yield opened


def test_public_names_are_pinned():
    assert qa.__all__ == [
        "Abstention",
        "Answer",
        "Article",
        "Byline",
        "Chat",
        "Citation",
        "Filters",
        "Hit",
        "Passage",
        "Settings",
        "Span",
        "Statement",
        "StreamEvent",
        "Support",
        "Turn",
        "open",
    ]
    assert all(getattr(qa, name) is not None for name in qa.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        qa.nonsense  # noqa: B018


def test_version_is_that_of_the_package():
    assert qa.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_import_qa_imports_nothing_heavy():
    code = "import qa, sys; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(ast.literal_eval(done.stdout)) & HEAVY


def test_ask_cites_a_stored_article(byline):
    answer = byline.ask("Who in Kigali confirmed the flight?")
    citation = answer.citations[0]
    assert citation.article.id == "a1"
    stored = byline.article("a1")
    assert citation.span.slice(stored.text) == citation.quote
    assert answer.settings == byline.ask("Who in London?").settings


def test_search_finds_within_the_filters(byline):
    assert byline.search("Kigali flight")[0].article.id == "a1"
    assert [hit.article.id for hit in byline.search("Kigali flight", filters=Filters(("bbc",)))] == ["a2"]
    assert len(byline.search("the", k=1)) == 1


@pytest.mark.parametrize(
    ("query", "k", "message"), [(" ", None, "empty"), ("x" * 4001, None, "4,001"), ("flight", 0, "at least 1")]
)
def test_search_refuses_what_ask_refuses(byline, query, k, message):
    for call in (byline.search, byline.ask):
        with pytest.raises(SettingsError, match=message):
            call(query, k=k)


def test_add_reports_what_changed_and_what_failed(byline):
    edited = make_article("Officials in Kigali denied the flight.", "a1", id_given=True)
    report = byline.add_articles([edited, LONDON, LoadFailure("x.pdf", "It is empty.")])
    assert (report.updated, report.unchanged, report.failed[0].origin) == (("a1",), ("a2",), "x.pdf")
    assert byline.ask("Who in Kigali confirmed the flight?").citations[0].quote.endswith("denied the flight.")


def test_add_reads_files(tmp_path):
    (tmp_path / "story.txt").write_text("The harbour opened again on Monday.\n")
    with open_fake(tmp_path / "library") as byline:
        report = byline.add(tmp_path / "story.txt")
        assert len(report.added) == 1
        assert byline.search("harbour")[0].article.text.startswith("The harbour opened")


def test_remove_takes_an_article_out_of_every_answer(byline):
    byline.remove("a1")
    assert [info.id for info in byline.articles()] == ["a2"]
    assert all(hit.article.id != "a1" for hit in byline.search("Kigali flight"))
    with pytest.raises(ArticleNotFoundError):
        byline.article("a1")


@pytest.mark.parametrize("call", ["ask", "search", "stream"])
def test_an_empty_library_says_how_to_fill_it(tmp_path, call):
    with open_fake(tmp_path) as byline, pytest.raises(EmptyCorpusError, match="byline add"):
        getattr(byline, call)("Who?")


def test_a_library_can_be_asked_right_after_its_first_article(tmp_path):
    with open_fake(tmp_path) as byline:
        with pytest.raises(EmptyCorpusError):
            byline.ask("Who?")
        byline.add_articles([KIGALI])
        assert byline.ask("Who in Kigali?").citations


def test_stream_and_its_async_twin_tell_the_same(byline):
    async def collect():
        return [event async for event in byline.astream("Who in Kigali confirmed the flight?")]

    kinds = [event.kind for event in byline.stream("Who in Kigali confirmed the flight?")]
    events = asyncio.run(collect())
    assert [event.kind for event in events] == kinds == ["hits", "statement", "answer"]
    assert events[-1].answer.citations[0].article.id == "a1"


def test_aask_leaves_the_event_loop_free(tmp_path):
    class WaitingReader(FakeReader):
        def read(self, question, hits):
            assert released.wait(timeout=10), "The event loop did not run while the reader was reading."
            return super().read(question, hits)

    async def ask_and_tick(byline):
        asking = asyncio.create_task(byline.aask("Who in Kigali?"))
        await asyncio.sleep(0)
        released.set()
        return await asking, await byline.asearch("Kigali")

    released = threading.Event()
    with open_fake(tmp_path, reader=WaitingReader()) as byline:
        byline.add_articles([KIGALI])
        answer, hits = asyncio.run(ask_and_tick(byline))
    assert answer.citations[0].article.id == hits[0].article.id == "a1"


def test_many_threads_ask_while_articles_come_and_go(byline):
    def work(number: int) -> str:
        if number % 4 == 0:
            byline.add_articles([make_article(f"Paper {number} was printed.", f"p{number}", id_given=True)])
        return byline.ask("Who in Kigali confirmed the flight?").citations[0].article.id

    with ThreadPoolExecutor(4) as pool:
        cited = list(pool.map(work, range(24)))
    assert set(cited) == {"a1"}
    assert len(byline.articles()) == 8


def test_a_library_has_one_owner_until_it_is_closed(tmp_path):
    byline = open_fake(tmp_path)
    with pytest.raises(LibraryBusyError):
        open_fake(tmp_path)
    byline.close()
    byline.close()
    open_fake(tmp_path).close()


def test_open_uses_the_folder_that_is_named_or_set(tmp_path, monkeypatch):
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "set"))
    with qa.open() as byline:
        assert byline.folder == tmp_path / "set"
    with qa.open(str(tmp_path / "named")) as byline:
        assert byline.folder == tmp_path / "named"


def test_open_refuses_an_encoder_that_is_not_there(tmp_path):
    settings = Settings(library=tmp_path / "library", encoder=f"onnx:{tmp_path / 'none'}")
    with pytest.raises(SettingsError, match="none"):
        qa.open(settings=settings)
