"""Libraries in temporary folders, with the fake embedder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.open import OpenIndex, open_index
from tests.fakes import FakeEmbedder


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def index(folder: Path, embedder: FakeEmbedder) -> Iterator[OpenIndex]:
    with open_index(folder, embedder) as opened:
        yield opened
