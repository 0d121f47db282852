"""`byline ask --export FILE`: the answer with its evidence as one file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qa.evidence_pack import Form
    from qa.types import Answer

_FORMS: dict[str, Form] = {".html": "html", ".md": "md", ".json": "json"}


def _known_suffix(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in _FORMS:
        raise typer.BadParameter(f"{str(path)!r} ends in none of {', '.join(_FORMS)}.")
    return path


ExportOption = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="FILE",
        callback=_known_suffix,
        help="Write answer and evidence to a .html, .md or .json file.",
    ),
]


def export_answer(answer: Answer, path: Path) -> None:
    """Write the pack of evidence; the file's ending says in which form."""
    from qa.evidence_pack import write_pack

    path.write_text(write_pack(answer, _FORMS[path.suffix.lower()], datetime.now(UTC)), encoding="utf-8")
