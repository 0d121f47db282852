"""Markdown with optional YAML front matter -> `Draft`."""

import re
from collections.abc import Mapping

import yaml  # type: ignore[import-untyped]

from corpus.dates import parse_published
from corpus.decode import decode_text
from corpus.draft import Draft
from corpus.markdown import plain_markdown
from corpus.sentences import is_heading

_FRONT = re.compile(r"\s*---[ \t]*\r?\n(?P<yaml>.*?)(?:\r?\n|(?<=\n))(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_SIMPLE_LINE = re.compile(r"(?P<key>\w+)[ \t]*:[ \t]*(?P<value>\S[^\n]*)")
_MAX_FRONT_CHARS = 16_000  # facts about one article; PyYAML takes a second for ten times this


def load_md(data: bytes) -> Draft:
    """Read Markdown; front matter may give id, title, source or outlet, url, published or date, author, language.

    Front matter that is no YAML is read line by line for those keys; the text is kept either way.

    Raises:
        ArticleFormatError: If the bytes are no text.
    """
    text = decode_text(data)
    front = _FRONT.match(text)
    facts = _facts(front["yaml"]) if front and front.end() <= _MAX_FRONT_CHARS else {}
    body = plain_markdown(text[front.end() :] if front else text)
    return Draft(
        text=body,
        id=facts.get("id"),
        title=facts.get("title") or _first_heading(body),
        source=facts.get("source") or facts.get("outlet"),
        url=facts.get("url"),
        published=parse_published(facts.get("published") or facts.get("date")),
        author=facts.get("author"),
        language=facts.get("language"),
    )


def _facts(front: str) -> dict[str, str]:
    """Return the scalars (and lists of scalars, joined) of the front matter, under lower-case keys."""
    try:
        # The base loader makes strings only ("id: 007" stays "007") and aliases stay references, so that a bomb
        # of aliases costs nothing: nothing below the second level is ever walked.
        loaded = yaml.load(front, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError):
        loaded = {line["key"]: line["value"].strip().strip("\"'") for line in _SIMPLE_LINE.finditer(front)}
    if not isinstance(loaded, Mapping):
        return {}
    facts = {str(key).lower(): _scalar(value) for key, value in loaded.items()}
    return {key: value for key, value in facts.items() if value}


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(item.strip() for item in value if isinstance(item, str))
    if isinstance(value, Mapping):
        return _scalar(value.get("name", ""))
    return ""


def _first_heading(body: str) -> str | None:
    heading = next((line for line in body.split("\n") if is_heading(line)), None)
    return heading.strip().strip("#").strip() if heading else None
