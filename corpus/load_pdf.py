"""PDFs with a text layer -> `Draft`, by pypdf, within bounds of pages and time."""

import logging
import re
import struct
import time
import zlib
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from corpus.draft import Draft
from corpus.errors import ArticleFormatError
from corpus.pdf_text import flow_text

MAX_PAGES = 2_000  # the longest report; beyond it the file is an archive, or pages that repeat without end
BASE_SECONDS = 8.0  # ordinary pages take 0.02 s; the damaged and hostile files tried take less than this or for ever
SECONDS_PER_PAGE = 0.03

logging.getLogger("pypdf").addHandler(logging.NullHandler())  # else its remarks on odd files land on stderr

# What pypdf lets through when a file breaks its rules; it checks little before it indexes, divides or recurses.
_MALFORMED = (
    PyPdfError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,
    OSError,
    struct.error,
    zlib.error,
)
_FILE_NAME = re.compile(r"\.\w{2,5}\Z|\AMicrosoft |\Auntitled|[\\/]", re.IGNORECASE)
_PERSON = re.compile(r"[^\W\d][^\d@/\\(){}<>]*\s[^\d@/\\(){}<>]*")
_OPENING_CHARS = 2_000  # where a title stands when it is the title of the text


def load_pdf(data: bytes) -> Draft:
    """Read the text layer of a PDF.

    The title in the file's properties counts only when its words open the text, and the creation date not at all:
    it says when the file was made, not when the article appeared.

    Raises:
        ArticleFormatError: If the file is encrypted, damaged, too large or has no text layer.
    """
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleFormatError("The PDF is protected by a password; save a copy without one.")
        text = flow_text(_page_texts(reader))
        title, author, language = _properties(reader, text)
    except DependencyError as error:
        raise ArticleFormatError("The PDF is encrypted; save a copy without encryption.") from error
    except _MALFORMED as error:
        raise ArticleFormatError("The PDF is damaged; save or print it to PDF again.") from error
    if not text.strip():
        raise ArticleFormatError("The PDF has no text layer, only pictures of pages; run text recognition (OCR) on it.")
    return Draft(text=text, title=title, author=author, language=language)


def _page_texts(reader: PdfReader) -> list[str]:
    n_pages = len(reader.pages)
    if n_pages > MAX_PAGES:
        raise ArticleFormatError(f"The PDF has {n_pages:,} pages; split it into files of at most {MAX_PAGES:,}.")
    deadline = time.monotonic() + BASE_SECONDS + SECONDS_PER_PAGE * n_pages

    def check_time(*_: object) -> None:
        if time.monotonic() > deadline:
            raise ArticleFormatError("The PDF takes too long to read; save or print it to PDF again, or give the text.")

    texts: list[str] = []
    for page in reader.pages:
        check_time()
        texts.append(page.extract_text(visitor_operand_before=check_time))
    return texts


def _properties(reader: PdfReader, text: str) -> tuple[str | None, str | None, str | None]:
    """Return title, author and language where the properties look as if somebody had filled them in."""
    facts = reader.metadata
    title = facts.title.strip() if facts and isinstance(facts.title, str) else ""
    author = facts.author.strip() if facts and isinstance(facts.author, str) else ""
    opening = set(re.findall(r"\w+", text[:_OPENING_CHARS].lower()))
    words = re.findall(r"\w+", title.lower())
    fitting = len(words) > 1 and not _FILE_NAME.search(title) and set(words) <= opening
    language = reader.root_object.get("/Lang")
    return (
        title if fitting else None,
        author if _PERSON.fullmatch(author) else None,
        language if isinstance(language, str) else None,
    )
