"""Nearest passages by Chroma's HNSW graph: the vector index of large libraries, disposable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import IndexingError, IndexMismatchError, LibraryDamagedError
from index.deadline import Workers
from index.types import Vectors
from index.vectors_exact import SCORE_DIGITS, checked

if sys.platform != "win32":
    import fcntl

try:
    import chromadb
    from chromadb.api.models.Collection import Collection
    from chromadb.config import Settings
    from chromadb.errors import ChromaError
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
except ValueError as error:  # pydantic's: importing chromadb reads `.env` of the working directory
    raise IndexingError(
        "Chroma cannot be loaded: the environment or a file `.env` in the working directory holds a setting it does "
        f"not understand ({' '.join(str(error).split())}). Remove it, or run Byline from another folder."
    ) from error

FORMAT = 1  # raise it when an index written by an older version of this file should be rebuilt
_CHROMA_FILE = "chroma.sqlite3"
_GRAPH_FACTS = "index_metadata.pickle"  # written with the graph, once 1,000 vectors have come
_LOCK_START, _LOCK_LENGTH = 0x40000000, 512  # the bytes that SQLite locks: pending, reserved, shared
_AT_ONCE = 500  # vectors written by one call: a second on an idle machine
_WRITE_S = 60.0  # for one call; 2,000 vectors at once took longer on a machine that had much else to do
_COLLECTION = "passages"
_HNSW: Any = {
    "space": "cosine",
    # Chroma's defaults (16 neighbours, 100, 100) found 0.91 of the true top 10 among 2,000 random vectors; these find
    # all of them. Article vectors are easier: see tests/index/test_vectors.py.
    "max_neighbors": 32,
    "ef_construction": 200,
    "ef_search": 400,  # well above the 100 candidates that retrieval asks for
}


class _FixedSettings(Settings):
    """Chroma's settings from arguments alone: neither the environment nor a `.env` file may change them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave every source out but the arguments."""
        return (init_settings,)


class ChromaVectors:
    """`VectorIndex` in a Chroma folder of its own; it receives vectors and never embeds.

    Args:
        folder: Made when it is absent. Only one process may use it (the owner lock sees to that).
        dim: Width of the vectors.

    Raises:
        IndexMismatchError: If the folder holds vectors of another width or distance.
        LibraryDamagedError: If Chroma cannot read it.
    """

    def __init__(self, folder: Path, dim: int) -> None:
        self._dim = dim
        self._path = folder / _CHROMA_FILE
        self._workers = Workers("chroma")
        self._wrote = False
        _refuse_locked(self._path)
        with _in_our_words():
            settings = _FixedSettings(anonymized_telemetry=False, allow_reset=False)
            self._client: Any = chromadb.PersistentClient(path=str(folder), settings=settings)
            self._collection: Collection = self._client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
            )
            self._batch = min(_AT_ONCE, self._client.get_max_batch_size())
        self._check()

    def upsert(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """Store or replace one vector per passage id; of an id given twice the last one counts."""
        if vectors.shape != (len(passage_ids), self._dim):
            raise IndexMismatchError(
                f"{len(passage_ids)} vectors of {self._dim} numbers were expected, got shape {vectors.shape}. "
                "Mend it with: byline reindex"
            )
        row_of = {passage_id: row for row, passage_id in enumerate(passage_ids)}
        for ids in _batches(list(row_of), self._batch):
            with _in_our_words():
                rows = vectors[[row_of[passage_id] for passage_id in ids]]
                self._bounded(partial(self._collection.upsert, ids=ids, embeddings=rows))

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget these passages; unknown ids are no error."""
        for ids in _batches(list(dict.fromkeys(passage_ids)), self._batch):
            with _in_our_words():
                self._bounded(partial(self._collection.delete, ids=ids))

    def query(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k (passage id, cosine), best first, ties by passage id."""
        query = checked(vector, self._dim)
        with _in_our_words():
            found = self._collection.query(query_embeddings=query[None, :], n_results=k, include=["distances"])
        ids, distances = found["ids"][0], (found["distances"] or [[]])[0]
        pairs = [(id_, round(1.0 - distance, SCORE_DIGITS)) for id_, distance in zip(ids, distances, strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def count(self) -> int:
        """Return how many passages it holds."""
        with _in_our_words():
            return self._collection.count()

    def stored(self, passage_ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors it holds for these passages, to be compared with the truth."""
        with _in_our_words():
            found = self._collection.get(ids=list(passage_ids), include=["embeddings"])
        embeddings: Any = found["embeddings"]
        return dict(zip(found["ids"], embeddings, strict=True))

    def ids(self) -> set[str]:
        """Return the ids of all passages it holds."""
        with _in_our_words():
            return set(self._collection.get(include=[])["ids"])

    def close(self) -> None:
        """Let go of Chroma's files."""
        if self._wrote:  # a query brings what was written into the graph's files, which else the next reader would do
            with suppress(LibraryDamagedError):  # then the next opening finds out
                self.query(np.full(self._dim, self._dim**-0.5, dtype=np.float32), 1)
        with _in_our_words():
            self._client.close()

    def _bounded(self, call: Callable[[], object]) -> None:
        """Wait for a call that writes; what is late may still arrive, and writing it again does no harm."""
        self._wrote = True
        try:
            self._workers.submit(call).result(_WRITE_S)
        except TimeoutError as error:
            raise IndexingError(_held(self._path, f"the vector index did not answer within {_WRITE_S:g} s")) from error

    def _check(self) -> None:
        # `get_or_create_collection` keeps another distance silently.
        hnsw: Any = self._collection.configuration_json.get("hnsw") or {}
        if hnsw.get("space") != _HNSW["space"]:
            raise IndexMismatchError(
                f"The vector index compares by {hnsw.get('space')!r}, not by cosine. "
                "Mend it with: byline doctor --repair"
            )
        with _in_our_words():
            sample: Any = self._collection.peek(1)["embeddings"]
        if len(sample) and len(sample[0]) != self._dim:
            raise IndexMismatchError(
                f"The vector index holds vectors of {len(sample[0])} numbers, the library's have {self._dim}. "
                "Mend it with: byline doctor --repair"
            )


def is_rewritten(name: str, names: Container[str]) -> bool:
    """Say whether opening or asking may rewrite a file: the rows always, a graph as long as none has been persisted."""
    folder, _, file = name.rpartition("/")
    return name.startswith(_CHROMA_FILE) or (file.endswith(".bin") and f"{folder}/{_GRAPH_FACTS}" not in names)


def _refuse_locked(path: Path) -> None:
    """Refuse a file that another program has locked: Chroma would wait up to 1,000 s for it.

    Only asked before Chroma opens the file: closing it here lets go of all locks that this process has on it.
    """
    if sys.platform == "win32" or not path.exists():
        return
    with path.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, _LOCK_LENGTH, _LOCK_START)
        except OSError as error:
            raise IndexingError(_held(path, "it is locked")) from error


def _held(path: Path, how: str) -> str:
    return f"Another program holds {str(path)!r} open ({how}). Close it and try again; what was added is safe."


def _batches(ids: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what Chroma raises into our error.

    Over damaged files it also raises ValueError ("Could not connect to tenant"), AttributeError (a second opening
    after a failed one) and others; a panic of its Rust core is a BaseException, known only by its name.
    """
    try:
        yield
    except (ChromaError, ValueError, AttributeError, RuntimeError, OSError) as error:
        raise _damaged(error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(error) from error


def _damaged(error: BaseException) -> LibraryDamagedError:
    return LibraryDamagedError(
        f"The vector index failed ({type(error).__name__}: {error}). Mend it with: byline doctor --repair"
    )
