"""A stored chat -> a file to keep: JSON for programs, Markdown or a web page without scripts for reading.

Each answer stands with its quotes and with what has become of their sources since; a quote whose article was removed is
not written.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from index.library_chats import StoredTurn
from qa.evidence_pack import Form, plain
from qa.render import DIFFER, declined
from qa.safe_text import escape, link, written_date
from qa.source_check import CheckedSource, SourceState
from qa.stored_answer import without_removed
from qa.types import flat

FORMAT = "byline-chat"
VERSION = 1
_STYLE = Path(__file__).with_name("evidence_pack.css")


def make_chat_pack(
    title: str, turns: Sequence[tuple[StoredTurn, Sequence[CheckedSource]]], made: datetime
) -> dict[str, Any]:
    """Return a chat as JSON values: each turn with its answer JSON (DESIGN 3.1) and the state of its sources."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": title,
        "turns": [_turn(stored, sources) for stored, sources in turns],
    }


def write_chat(pack: Mapping[str, Any], form: Form) -> str:
    """Return a chat's pack as a file's text."""
    if form == "html":
        return _html(pack)
    if form == "md":
        return "\n".join(_markdown(pack)) + "\n"
    return json.dumps(pack, ensure_ascii=True, indent=1) + "\n"


def _turn(stored: StoredTurn, sources: Sequence[CheckedSource]) -> dict[str, Any]:
    removed = {source.n for source in sources if source.state is SourceState.REMOVED}
    return {
        "asked": stored.created,
        "searched": json.loads(stored.filters) if stored.filters else None,
        "answer": without_removed(stored.answer, removed),
        "sources": [{"n": each.n, "state": each.state.value, "diff": each.diff or None} for each in sources],
    }


def _markdown(pack: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {plain(pack['title'])}"
    for number, turn in enumerate(pack["turns"], 1):
        answer = turn["answer"]
        yield from ("", f"## {number}\\. {plain(answer['question'])}", "")
        yield from (line for note in _notes(answer) for line in (plain(note), ""))
        if answer["abstained"]:
            said = declined(answer["question"])
            yield from (f"{f'**{said}** ' if said else ''}{plain(answer['reason'])}", "")
        if answer["short_answer"]:
            yield from (f"**{plain(answer['short_answer'])}**", "")
        for each in answer["statements"]:
            marks = "".join(f"[^{number}-{n}]" for n in each["citations"])
            yield from (f"{plain(each['text'])}{marks} *({each['support']})*", "")
        for citation, source in zip(answer["citations"], turn["sources"], strict=True):
            quote = f": “{plain(citation['quote'])}”" if citation["quote"] else ""
            yield from (f"[^{number}-{citation['n']}]: {plain(_where(citation))}{quote}{plain(_since(source))}", "")
    yield from ("---", "", f"Made {pack['made']} by Byline.")


def _html(pack: Mapping[str, Any]) -> str:
    style = _STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"
    turns = "".join(_html_turn(turn, number) for number, turn in enumerate(pack["turns"], 1))
    title = escape(flat(pack["title"]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="content-security-policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<title>{title}</title><style>{style}</style></head><body><main><h1 dir="auto">{title}</h1>{turns}'
        f'<p class="note">Made {escape(pack["made"])} by Byline.</p></main></body></html>\n'
    )


def _html_turn(turn: Mapping[str, Any], number: int) -> str:
    answer = turn["answer"]
    html = f'<h2 dir="auto">{number}. {escape(flat(answer["question"]))}</h2>'
    html += "".join(f'<p class="note" dir="auto">{escape(note)}</p>' for note in _notes(answer))
    if answer["abstained"]:
        said = declined(answer["question"])
        html += f'<p class="short">{said}</p>' if said else ""
        html += f'<p dir="auto">{escape(flat(answer["reason"]))}</p>'
    if answer["short_answer"]:
        html += f'<p class="short" dir="auto">{escape(flat(answer["short_answer"]))}</p>'
    for each in answer["statements"]:
        marks = " ".join(f'<a href="#quote-{number}-{n}">[{n}]</a>' for n in each["citations"])
        state = f'<span class="support">{escape(each["support"])}</span>'
        html += f'<p class="statement" dir="auto">{escape(flat(each["text"]))} {marks} {state}</p>'
    for citation, source in zip(answer["citations"], turn["sources"], strict=True):
        quote = f'<blockquote dir="auto">{escape(flat(citation["quote"]))}</blockquote>' if citation["quote"] else ""
        html += (
            f'<figure id="quote-{number}-{citation["n"]}"><figcaption dir="auto"><b>[{citation["n"]}]</b> '
            f"{link(citation['url'], _where(citation))}{escape(_since(source))}</figcaption>{quote}</figure>"
        )
    return html


def _notes(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["standalone_question"]:
        yield f"Read as: {flat(answer['standalone_question'])}"
    if answer["degraded"]:
        yield flat(answer["degraded"])
    yield from (f"{DIFFER}: {flat(each['about'])}" for each in answer["disagreements"])


def _where(citation: Mapping[str, Any]) -> str:
    day = written_date(date.fromisoformat(citation["published"])) if citation["published"] else ""
    return ", ".join(flat(part) for part in (citation["title"], citation["source"] or "", day) if part)


def _since(source: Mapping[str, Any]) -> str:
    """Return what has become of a source since it was cited; empty when it stands."""
    if source["state"] == SourceState.VALID.value:
        return ""
    if source["state"] == SourceState.REMOVED.value:
        return f" ({source['state']})"
    return f" ({source['state']}; now: {source['diff'] or 'no sentence of the article is like it'})"
