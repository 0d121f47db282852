"""Room on the disk, asked for before something is written rather than found missing in the middle."""

from __future__ import annotations

import shutil
from pathlib import Path

from corpus.errors import IndexingError

FULL_BYTES = 16_000_000  # with less left, an index that fails does so for want of space
# Measured with evals/benchmarks/scale.py: 3.1 kB a passage in Chroma, 1.1 in tantivy, and what they need while merging.
INDEX_BYTES_A_PASSAGE = 6_000


def need_space(folder: Path, n_bytes: int, what: str) -> None:
    """Refuse to begin what would not fit.

    Args:
        folder: On the disk that is written to; it or one of its parents exists.
        n_bytes: What will be written; a little is always kept free beyond it.
        what: For the message: "adding articles", ...

    Raises:
        IndexingError: If there is less.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < n_bytes + FULL_BYTES:
        raise IndexingError(
            f"The disk of {str(folder)!r} is full: {what} needs about {_megabytes(n_bytes + FULL_BYTES)} MB, "
            f"{_megabytes(free)} MB are free. Free some space and try again; nothing was changed."
        )


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f}"
