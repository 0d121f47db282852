"""A real library with the fake encoder and reader: everything but the models is what people use."""

from collections.abc import Sequence
from pathlib import Path

from index import library_file
from index.library_file import LibraryFile
from index.types import Hit
from qa.byline import Byline
from qa.settings import Settings
from qa.types import Reading
from tests.fakes import FakeEmbedder, FakeReader, make_article

STORM = make_article(
    "A storm closed the harbour on Monday. Nobody was hurt.", "storm", title="Storm", source="Daily", url="https://d.example/s"
)  # fmt: skip
STRIKE = make_article("Dockers began a strike. The harbour stayed shut.", "a/strike", title="Strike", source="Post")


class WaitingReader(FakeReader):
    """Reads when `gate` is open; counts who waits."""

    def __init__(self, gate) -> None:
        super().__init__()
        self.gate = gate

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        assert self.gate.wait(30)
        return super().read(question, hits)


def open_fake(folder: Path, *articles, reader=None, **settings) -> Byline:
    """Open a library in `folder` that holds these articles."""
    chosen = Settings(library=folder, **settings)
    byline = Byline(folder, chosen, embedder=FakeEmbedder(), reader=reader or FakeReader())
    byline.add_articles(articles)
    return byline


def make_read_only(file: LibraryFile, monkeypatch) -> None:
    """Let every connection to this library from now on refuse to write, as it does on a write-protected disk."""
    connect = library_file._connect

    def connect_read_only(path: Path):
        connection = connect(path)
        connection.execute("PRAGMA query_only = 1")
        return connection

    monkeypatch.setattr(library_file, "_connect", connect_read_only)
    with file._idle_lock:
        while file._idle:
            file._idle.pop().close()
