"""What a loader found in a file, and how it becomes an `Article`."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from corpus.errors import ArticleFormatError
from corpus.normalise import normalise_text
from corpus.sentences import is_heading, split_sentences
from corpus.types import Article

MAX_ID_CHARS = 200  # an id is a key and is printed in lists; longer ones are text that slipped into the wrong field
MAX_TITLE_CHARS = 300  # longer than any headline; a longer title is cut so that it cannot crowd out the passage
MAX_FIRST_LINE_CHARS = 150  # headlines are shorter; a longer first line is the first paragraph
OPENING_CHARS = 200  # what the sentence that serves as a title is looked for in; longer ones are shortened anyway
SHORT_TITLE_CHARS = 90  # a title made from the first sentence fits one line


@dataclass(frozen=True, slots=True)
class Draft:
    """Raw text and facts as a format's loader found them; nothing is normalised or checked yet."""

    text: str
    id: str | None = None
    title: str | None = None
    source: str | None = None
    url: str | None = None
    published: date | None = None
    author: str | None = None
    language: str | None = None


def make_article(draft: Draft, origin: str, name: str, *, key: str | None = None) -> Article:
    """Turn a draft into an article.

    Args:
        draft: As loaded.
        origin: Absolute path or URL.
        name: The file's stem or the last part of the URL: readable part of an id that was not given.
        key: What an id that was not given is derived from, when several articles share the origin.

    Raises:
        ArticleFormatError: If no text is left after normalisation, or the given id cannot be used.
    """
    text = normalise_text(draft.text)
    if not text:
        raise ArticleFormatError("It holds no text; remove it, or put the article's words in it.")
    title = _one_line(draft.title)
    return Article(
        id=check_id(draft.id) if draft.id is not None else _made_id(name, key or origin),
        title=_shorten(title, MAX_TITLE_CHARS) if title else title_from_text(text),
        text=text,
        source=_one_line(draft.source),
        url=_one_line(draft.url),
        published=draft.published,
        author=_one_line(draft.author),
        language=_language(draft.language),
        origin=origin,
        id_given=draft.id is not None,
    )


def check_id(given: str) -> str:
    """Return a given id unchanged.

    Raises:
        ArticleFormatError: If it is empty, too long or holds control characters.
    """
    if not given.strip() or len(given) > MAX_ID_CHARS or any(unicodedata.category(c) in {"Cc", "Cs"} for c in given):
        raise ArticleFormatError(
            f"The id {given[:50]!r} cannot be used; give one of 1 to {MAX_ID_CHARS} characters, none of them a control."
        )
    return given


def title_from_text(text: str) -> str:
    """Return the first line when it reads like a title, else the first sentence, cut near 90 characters.

    Args:
        text: Normalised, not empty.
    """
    first, _, rest = text.partition("\n")
    if is_heading(first):
        return _shorten(first.strip().strip("#").strip() or first, MAX_TITLE_CHARS)
    if rest.startswith("\n") and len(first) <= MAX_FIRST_LINE_CHARS and first[-1] not in ".!?…,;:":
        return first
    sentences = [" ".join(span.slice(text).split()) for span in split_sentences(text[:OPENING_CHARS])]
    return _shorten(next((one for one in sentences if " " in one), sentences[0]), SHORT_TITLE_CHARS)


def _made_id(name: str, key: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-") or "article"
    return f"{slug}-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _one_line(value: str | None) -> str | None:
    return " ".join(normalise_text(value).split()) or None if value else None


def _language(value: str | None) -> str | None:
    code = (value or "").strip().lower()[:2]
    return code if re.fullmatch("[a-z]{2}", code) else None


def _shorten(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    cut = text.rfind(" ", max_chars // 2, max_chars)
    return text[: cut if cut > 0 else max_chars].rstrip(" ,;:–—-") + "…"
