"""Looking after a library that nobody is using: verify, repair, compact, reindex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from corpus.errors import IndexingError, IndexMissingError, LibraryBusyError
from index.catch_up import IndexT, Kind, close_sealed, lexical_kind, open_as_is, rebuild, vector_kind
from index.checks import Finding, check_articles, check_file, check_lexical, check_vectors
from index.disk import need_space
from index.ingest import cut_article, embed_missing
from index.library import Library
from index.library_file import LIBRARY_NAME
from index.library_log import index_state
from index.library_manifest import current_build, start_build
from index.library_upkeep import add_to_build, drop_unreachable, give_back_space, switch_build
from index.mend_vectors import mend_vectors
from index.open import own_folder, wanted_build
from index.types import AddProgress, Embedder

_REINDEX_ARTICLES = 50  # chunked, embedded and committed together while reindexing


def check(folder: Path) -> tuple[Finding, ...]:
    """Verify a library: the file, every article and passage, and both indexes against them. Changes nothing.

    Returns:
        One finding for each check that could be made, and one for each that could not.

    Raises:
        IndexMissingError: If there is no library.
        LibraryBusyError: If somebody uses it.
    """
    try:
        with _owned(folder) as library:
            findings = [check_file(library)]
            if not findings[0].ok:
                return tuple(findings)  # what a broken file says about the rest means nothing
            findings.append(check_articles(library))
            findings.append(_check_index(folder, library, vector_kind(library.build.dim), check_vectors))
            findings.append(_check_index(folder, library, lexical_kind(), check_lexical))
            return tuple(findings)
    except (IndexMissingError, LibraryBusyError):
        raise
    except IndexingError as error:
        return (Finding("file", False, str(error)),)


def repair(folder: Path) -> None:
    """Build both indexes anew from the library; nothing is embedded again.

    Raises:
        LibraryDamagedError: If the library itself is damaged, which only a backup mends.
    """
    with _owned(folder) as library:
        _rebuild_both(folder, library)


def compact(folder: Path) -> None:
    """Forget what nobody can reach, and give the disk space of it and of both indexes back.

    Afterwards the texts of removed articles and former versions are in no file of the folder, unless
    `keep_versions` is set in the library; but a stored chat and a kept case are a person's own, and hold the sentences
    they cited until they are deleted.

    Raises:
        IndexingError: If the disk has no room for the copy that SQLite makes of the library.
    """
    with _owned(folder) as library:
        need_space(folder, library.file.path.stat().st_size, "compacting")
        drop_unreachable(library.file)
        give_back_space(library.file)
        _rebuild_both(folder, library)


def reindex(
    folder: Path,
    embedder: Embedder,
    *,
    chunk_tokens: int = 200,
    on_progress: Callable[[AddProgress], None] | None = None,
) -> bool:
    """Rebuild a library for another embedder or chunk size, beside what is there, and switch when all is ready.

    Interrupted, it leaves the library as it was; vectors computed so far are found again by the next run.

    Args:
        folder: The library.
        embedder: The one to go over to.
        chunk_tokens: Most tokens a passage may have from now on.
        on_progress: Called for each article that is ready.

    Returns:
        False if the library was already built like that and every stored vector is well; then nothing is done.

    Raises:
        IndexingError: If the disk has no room for the other build.
    """
    wanted = wanted_build(embedder, chunk_tokens)
    with _owned(folder) as library:
        if current_build(library.file)[1] == wanted:
            mended = mend_vectors(library, embedder) > 0
            if mended:  # not replayed: of 1,100 vectors that Chroma replaced in place, some were no longer found
                _rebuild_both(folder, library)
            return mended
        # The other build is about as large as this one, in the same file.
        need_space(folder, library.file.path.stat().st_size, "building the library anew")
        build = start_build(library.file, wanted)
        articles = library.all_articles()
        done = 0
        while group := [cut_article(article, chunk_tokens) for article in islice(articles, _REINDEX_ARTICLES)]:
            embed_missing(library.file, wanted, embedder, group)
            add_to_build(library.file, build, group)
            for cut in group:
                done += 1
                if on_progress:
                    on_progress(AddProgress(done, cut.article.origin))
        switch_build(library.file, build)
        _rebuild_both(folder, library)
    return True


def _rebuild_both(folder: Path, library: Library) -> None:
    vectors, lexical = vector_kind(library.build.dim), lexical_kind()
    close_sealed(folder, library, vectors, rebuild(folder, library, vectors))
    close_sealed(folder, library, lexical, rebuild(folder, library, lexical))


@contextmanager
def _owned(folder: Path) -> Iterator[Library]:
    """Own a library that exists, whatever embedder it was built with."""
    if not (folder / LIBRARY_NAME).is_file():
        raise IndexMissingError(f"There is no library in {str(folder)!r}. Make one with: byline add PATH")
    lock = own_folder(folder)
    try:
        library = Library.open(folder / LIBRARY_NAME)
        try:
            yield library
        finally:
            library.close()
    finally:
        lock.release()


def _check_index(
    folder: Path, library: Library, kind: Kind[IndexT], check_it: Callable[[Library, IndexT], Finding]
) -> Finding:
    try:
        if index_state(library.file, kind.name) is None and not library.n_passages():
            return Finding(kind.name, True, "The library is empty.")
        index = open_as_is(folder, library, kind)
        try:
            finding = check_it(library, index)
        except BaseException:
            index.close()
            raise
        if finding.ok:
            close_sealed(folder, library, kind, index)
        else:
            index.close()  # what is not well is not sealed
        return finding
    except IndexingError as error:
        return Finding(kind.name, False, str(error))
