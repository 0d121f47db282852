"""Looking after a library while this process uses it: the checks of `byline doctor`, and its repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from corpus.errors import IndexingError
from index.checks import Finding, check_articles, check_file, check_lexical, check_vectors

if TYPE_CHECKING:
    from index.lexical_tantivy import TantivyLexical
    from index.open import OpenIndex
    from index.vectors_chroma import ChromaVectors


def check_open(index: OpenIndex) -> tuple[Finding, ...]:
    """Verify the open library as `index.doctor.check` does a closed one; nobody writes meanwhile."""
    library = index.library
    with index.writing():
        findings = [check_file(library)]
        if not findings[0].ok:
            return tuple(findings)  # what a broken file says about the rest means nothing
        findings.append(check_articles(library))
        if not library.n_passages():
            return tuple(findings)
        for name, check_it in (("chroma", _check_vectors), ("lexical", _check_lexical)):
            try:
                findings.append(check_it(index))
            except IndexingError as error:
                findings.append(Finding(name, False, str(error)))
        return tuple(findings)


def repair_open(index: OpenIndex) -> None:
    """Build both indexes anew from the library while questions go on being answered; nothing is embedded again."""
    with index.writing():
        index.rebuild()


def _check_vectors(index: OpenIndex) -> Finding:
    return check_vectors(index.library, cast("ChromaVectors", index.vectors))


def _check_lexical(index: OpenIndex) -> Finding:
    return check_lexical(index.library, cast("TantivyLexical", index.lexical))
