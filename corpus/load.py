"""Files, folders and addresses -> `Article`s, in a fixed order; what cannot be read becomes a `LoadFailure`."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from corpus.draft import Draft, make_article
from corpus.errors import ArticleFormatError
from corpus.types import Article, LoadFailure

MAX_FILE_BYTES = 50_000_000  # a scanned newspaper fits; beyond it one article is no longer one article

# Suffix -> the module whose function of the same name reads such bytes; imported when the first one is met,
# because trafilatura and pypdf take long to import.
_FORMATS = {
    ".txt": "load_txt",
    ".md": "load_md",
    ".markdown": "load_md",
    ".html": "load_html",
    ".htm": "load_html",
    ".pdf": "load_pdf",
}
_ROWS = (".jsonl", ".jsonl.gz")
SUPPORTED = ".txt, .md, .html, .pdf, .jsonl and .jsonl.gz"


def load_sources(sources: Sequence[str | Path]) -> Iterator[Article | LoadFailure]:
    """Load files, folders and http(s) addresses, in the order given.

    A folder is walked with all its sub-folders in the order of the files' relative paths; hidden files and other
    types are passed over. A file that was met before is not loaded again.

    Yields:
        An article for each file or row, or one sentence on why it could not be read. Bad input never raises.
    """
    seen: set[Path] = set()
    for source in sources:
        if isinstance(source, str) and "://" in source:
            yield _load_address(source)
            continue
        path = Path(os.path.abspath(source))
        found = _walk(path) if path.is_dir() else [path]
        for item in found:
            if isinstance(item, LoadFailure):
                yield item
            elif item not in seen:
                seen.add(item)
                yield from _load_file(item)


def count_sources(sources: Sequence[str | Path]) -> int:
    """Return about how many articles and failures `load_sources` will yield, reading nothing but rows' line ends."""
    paths: dict[Path, None] = {}
    n_addresses = 0
    for source in sources:
        if isinstance(source, str) and "://" in source:
            n_addresses += 1
            continue
        path = Path(os.path.abspath(source))
        found = _walk(path) if path.is_dir() else [path]
        n_addresses += sum(isinstance(item, LoadFailure) for item in found)
        paths.update((item, None) for item in found if isinstance(item, Path))
    return n_addresses + sum(_count_rows(path) if path.name.lower().endswith(_ROWS) else 1 for path in paths)


def bundled_articles() -> Path:
    """Return the folder of the sample articles that come with the package."""
    return Path(__file__).parent / "articles"


def origin_of(path: Path) -> str:
    """Return an absolute path as `Article.origin` holds it: text, also when its bytes are not valid UTF-8."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_draft(data: bytes, suffix: str) -> Draft:
    """Read the bytes of one file of the type `suffix`; a PDF is recognised whatever it is called.

    Raises:
        ArticleFormatError: If they cannot be read as such.
    """
    suffix = ".pdf" if data.startswith(b"%PDF-") else suffix
    if suffix not in _FORMATS:
        raise ArticleFormatError(f"Files of the type {suffix or 'without a suffix'!r} are not read; use {SUPPORTED}.")
    name = _FORMATS[suffix]
    loader: Callable[[bytes], Draft] = getattr(import_module(f"corpus.{name}"), name)
    return loader(data)


def _load_address(url: str) -> Article | LoadFailure:
    from corpus.load_url import load_url

    try:
        return load_url(url)
    except ArticleFormatError as error:
        return LoadFailure(url, str(error))


def _load_file(path: Path) -> Iterator[Article | LoadFailure]:
    origin = origin_of(path)
    try:
        if path.name.lower().endswith(_ROWS):
            yield from _load_rows(path, origin)
        else:
            yield make_article(read_draft(_read(path), path.suffix.lower()), origin, path.stem)
    except ArticleFormatError as error:
        yield LoadFailure(origin, str(error))
    except OSError as error:
        yield LoadFailure(origin, _why(error))


def _load_rows(path: Path, origin: str) -> Iterator[Article | LoadFailure]:
    from corpus.load_jsonl import load_jsonl

    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    empty = True
    first: dict[str, tuple[int, int]] = {}  # id -> line, and hash of the text: one row must not replace another unseen
    for number, row in load_jsonl(path):
        empty = False
        try:
            if isinstance(row, ArticleFormatError):
                raise row
            article = make_article(row, origin, name, key=f"{path.as_posix()}:{row.url or number}")
            line, text = first.setdefault(article.id, (number, hash(article.text)))
            if text != hash(article.text):
                raise ArticleFormatError(
                    f"It would replace line {line}, which has the same id or url; give each row its own id."
                )
            yield article
        except ArticleFormatError as error:
            yield LoadFailure(f"{origin}:{number}", str(error))
    if empty:
        raise ArticleFormatError("It holds no rows; write one JSON object with a text a line.")


def _count_rows(path: Path) -> int:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opened(path, "rb") as file:
            return sum(1 for line in file if line.strip()) or 1
    except (OSError, EOFError, zlib.error):  # loading it says what is wrong
        return 1


def _read(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ArticleFormatError("It is no regular file; name a file or a folder.")
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ArticleFormatError(f"It is larger than {MAX_FILE_BYTES // 1_000_000} MB; split it into articles.")
    if not data.strip():
        raise ArticleFormatError("It is empty; remove it, or put the article's words in it.")
    return data


def _walk(folder: Path) -> list[Path | LoadFailure]:
    """Return the loadable files below a folder, sorted by relative path; each real folder is entered once."""
    files: list[Path] = []
    failures: list[Path | LoadFailure] = []
    entered: set[str] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = os.path.realpath(current)
        if real in entered:
            continue
        entered.add(real)
        try:
            entries = [entry for entry in os.scandir(current) if not entry.name.startswith(".")]
        except OSError as error:
            failures.append(LoadFailure(origin_of(current), _why(error)))
            continue
        waiting += [Path(entry.path) for entry in entries if entry.is_dir()]
        files += [Path(entry.path) for entry in entries if entry.is_file() and _is_supported(entry.name)]
    if not files and not failures:
        return [LoadFailure(origin_of(folder), f"The folder holds no file that can be read; use {SUPPORTED}.")]
    return [*failures, *sorted(files, key=lambda path: path.relative_to(folder).as_posix())]


def _is_supported(name: str) -> bool:
    return name.lower().endswith((*_FORMATS, *_ROWS))


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file or folder; check the path."
    if isinstance(error, PermissionError):
        return "It may not be read; give yourself the permission to read it."
    return f"It cannot be read ({error.strerror or error}); check the path and the disk."
