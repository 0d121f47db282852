"""The checks of `byline doctor`: truth against itself, and both indexes against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpus.errors import LibraryDamagedError
from corpus.types import Article, Passage
from index.library import Library
from index.library_rows import passage_from
from index.library_upkeep import integrity_problems, stored_passages
from index.mend_vectors import vector_problem
from index.types import Filters

if TYPE_CHECKING:
    from index.lexical_tantivy import TantivyLexical
    from index.vectors_chroma import ChromaVectors

_SAMPLE = 200  # passages whose vectors are read back and asked for: seconds, spread over the whole library
_VECTOR_TOLERANCE = 1e-5  # Chroma keeps float32, so only rounding may differ
_SELF_COSINE = 0.999  # what a passage's own vector must reach with the best hit
_RESTORE = "Restore the library from a backup, or remove the article and add it again."
_REINDEX = "Mend it with: byline reindex"
_REPAIR = "Mend it with: byline doctor --repair"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the doctor: what was looked at, whether it is well, and what was found."""

    check: str
    ok: bool
    message: str


def check_file(library: Library) -> Finding:
    """Let SQLite read every page."""
    problems = integrity_problems(library.file)
    if problems:
        return Finding("file", False, f"{'; '.join(problems)}. Restore the library from a backup.")
    return Finding("file", True, "SQLite finds nothing wrong.")


def check_articles(library: Library) -> Finding:
    """Compare every article with its hash, every passage with its article, every vector with its text."""
    problems: list[str] = []
    infos = library.articles()
    for info in infos:
        try:
            problems += _article_problems(library, info.id)
        except LibraryDamagedError as error:
            problems.append(str(error))
    if problems:
        return Finding("articles", False, _summary(problems, _RESTORE))
    n_passages = sum(info.n_passages for info in infos)
    return Finding("articles", True, f"{len(infos)} articles and their {n_passages} passages slice back and tile.")


def check_vectors(library: Library, vectors: ChromaVectors) -> Finding:
    """Compare Chroma's ids with the truth, read sampled vectors back, and ask for each of them."""
    ids = library.passage_ids()
    sampled = sample(ids)
    problems = _id_problems(ids, vectors.ids()) + vector_problems(library, vectors, sampled)
    if problems:
        return Finding("chroma", False, _summary(problems, _REPAIR))
    return Finding("chroma", True, f"Chroma holds all {len(ids)} passages; {len(sampled)} were read back and found.")


def vector_problems(library: Library, vectors: ChromaVectors, passage_ids: Sequence[str]) -> list[str]:
    """Read the vectors of these passages back, and ask for each of them."""
    problems = []
    known, rows = library.known_vectors(passage_ids)
    stored = vectors.stored(known)
    for passage_id, row in zip(known, rows, strict=True):
        if passage_id not in stored or not np.allclose(stored[passage_id], row, atol=_VECTOR_TOLERANCE):
            problems.append(f"passage {passage_id!r} has another vector than the truth")
        best = vectors.query(row, 1)
        if not best or best[0][1] < _SELF_COSINE:
            problems.append(f"passage {passage_id!r} is not found by its own vector")
    return problems


def check_lexical(library: Library, lexical: TantivyLexical) -> Finding:
    """Compare tantivy's ids with the truth, and ask for sampled passages by their own words."""
    ids = library.passage_ids()
    sampled = sample(ids)
    problems = _id_problems(ids, lexical.ids()) + lexical_problems(library, lexical, sampled)
    if problems:
        return Finding("lexical", False, _summary(problems, _REPAIR))
    return Finding("lexical", True, f"tantivy holds all {len(ids)} passages; {len(sampled)} were asked for and found.")


def lexical_problems(library: Library, lexical: TantivyLexical, passage_ids: Sequence[str]) -> list[str]:
    """Ask for these passages by their own words; one that has none cannot be found by them, and need not be."""
    problems = []
    for passage_id, (passage, article) in library.passages_with_articles(passage_ids).items():
        if not lexical.has_words(passage.text):
            continue
        hits = lexical.query(passage.text, article_passages(library, article), Filters(article_ids=(article.id,)))
        if passage_id not in {hit for hit, _ in hits}:
            problems.append(f"passage {passage_id!r} is not found by its own words")
    return problems


def article_passages(library: Library, article: Article) -> int:
    """Return how many passages an article has, at least 1."""
    return max(1, len(library.passage_ids_where(Filters(article_ids=(article.id,)))))


def sample(ids: Sequence[str]) -> list[str]:
    """Return up to `_SAMPLE` ids, evenly spread, the same ones each time."""
    step = max(1, len(ids) // _SAMPLE)
    return list(ids[::step][:_SAMPLE])


def _article_problems(library: Library, article_id: str) -> list[str]:
    article = library.article(article_id)
    dim = library.build.dim
    passages = []
    problems = []
    for stored in stored_passages(library.file, article_id):
        passage = passage_from(stored.row, article.version, article.text)
        passages.append(passage)
        if problem := vector_problem(passage, stored, dim):
            problems.append(problem if _REINDEX in problem else f"{problem}. {_REINDEX}")
    return problems + _tiling_problems(article, passages)


def _tiling_problems(article: Article, passages: Sequence[Passage]) -> list[str]:
    """Name gaps and overlaps: starts and ends must increase, and only blanks may lie between passages."""
    end = 0
    problems = []
    for passage in passages:
        if passage.span.start < end or article.text[end : passage.span.start].strip():
            problems.append(f"passage {passage.id!r} does not follow the one before it")
        end = max(end, passage.span.end)
    if article.text[end:].strip():
        problems.append(f"the end of article {article.id!r} is in no passage")
    return problems


def _id_problems(truth: Sequence[str], held: set[str]) -> list[str]:
    missing, extra = set(truth) - held, held - set(truth)
    problems = [f"{len(missing)} passages are missing, such as {min(missing)!r}"] if missing else []
    return problems + ([f"{len(extra)} passages should not be there, such as {min(extra)!r}"] if extra else [])


def _summary(problems: Sequence[str], remedy: str) -> str:
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    first = problems[0][:1].upper() + problems[0][1:].rstrip(".")
    if _REINDEX in first:  # which says how already
        return f"{first.removesuffix(_REINDEX).rstrip(' .')}{more}. {_REINDEX}"
    return f"{first}{more}. {remedy}"
