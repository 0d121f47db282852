"""A name on the command line -> the questions and articles it stands for: a bundled suite, a file or a folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from corpus.errors import EmptyCorpusError, SettingsError
from corpus.load import bundled_articles
from corpus.types import Article
from evals.data import EvalSet, check_stored, load_set
from evals.suite import find_suite, load_suite, pending_cases
from qa.keep import KEPT
from qa.settings import Settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a run asks: a set, its articles, and the library that already holds them, if there is one."""

    of: EvalSet
    articles: tuple[Article, ...]
    library: Path | None = None


def load_target(name: str, *, articles: Path | None = None, library: Path | None = None) -> Target:
    """Read the questions and articles of a target.

    Args:
        name: A suite in evals/suites, `kept` for the cases kept in the library, a `.jsonl` suite, a `.csv`, SQuAD
            `.json`, or a set's folder.
        articles: Files for questions that come without articles; the bundled ones when None.
        library: Likewise, a library that holds them. Kept cases are asked of the library they lie in.

    Raises:
        QAError: If something is not there or cannot be read.
    """
    path = _kept_cases(library) if name == Path(KEPT).stem else find_suite(name)
    if path.name == KEPT and library is None and articles is None:
        library = path.parent
    if articles is not None and library is not None:
        raise SettingsError("Give either --articles or --library: both say what is asked about.")
    brings_articles = path.is_dir() or path.suffix == ".json"
    if brings_articles:
        of = load_set(path)
        loaded = of.load_articles()
    else:
        loaded = _stored(library) if library else _asked_about(path, articles)
        of = load_set(path) if path.suffix == ".csv" else load_suite(path, loaded)
        for case in pending_cases(path) if path.name == KEPT else ():
            _LOG.warning("Not asked, for nobody has said what is right: %s %r", case["id"], case["question"])
    check_stored(of.examples, {article.id: article.text for article in loaded})
    # The articles are held beside the set from here on; the set's own copy would only keep them in memory twice.
    return Target(replace(of, articles=()), tuple(loaded), None if brings_articles else library)


def _kept_cases(library: Path | None) -> Path:
    path = (library or Settings().library) / KEPT
    if not path.exists():
        raise EmptyCorpusError(
            f"No case is kept in the library {str(path.parent)!r} yet. Keep one with Right or Wrong under an answer on "
            'the page, or with: byline eval keep "QUESTION"'
        )
    return path


def _asked_about(path: Path, articles: Path | None) -> list[Article]:
    """Return the articles given, else the bundled ones and those of the folder beside a suite that has its name."""
    folders = [articles or bundled_articles()]
    own = path.with_suffix("")
    if articles is None and path.suffix == ".jsonl" and own.is_dir():
        folders.append(own)
    return [article for folder in folders for article in EvalSet(path.stem, folder, ()).load_articles()]


def _stored(library: Path) -> list[Article]:
    import qa

    with qa.open(library) as byline:
        return list(byline.index.library.all_articles())
