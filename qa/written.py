"""What a language model writes -> statements with passage number and quote, piece by piece, whatever it writes.

Any way of cutting the text into pieces gives the same statements, and no text raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from corpus.sentences import split_sentences
from qa.safe_text import neutralise
from qa.types import flat

_MAX_OBJECT_CHARS = 6_000  # ten times a statement with its quote; what is longer has lost its closing bracket
_THINK, _THOUGHT = "<think>", "</think>"
_TEXT_KEYS = ("statement", "text", "answer", "claim", "sentence")
_PASSAGE_KEYS = ("passage", "passages", "number", "source", "sources", "citation", "citations", "n")
_QUOTE_KEYS = ("quote", "quotes", "evidence", "exact_quote")
_NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?!\d)")
_DECLINES = re.compile(
    r"(?:none|null|n/?a|unknown|no answer|(?:answer )?not (?:found|stated|mentioned|available|in the passages?)"
    r"|(?:the )?(?:passages?|articles?|text) (?:do|does) not (?:say|mention|contain|provide|state|answer|specify)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_NOTHING = frozenset({"", "null", "none"})
_BULLET = re.compile(
    r"^\s*(?:[-*•>#]+|\d{1,2}[.)](?=\s))?\s*(?:(?:final )?(?:answer|statement)s?\s*:)?\s*", re.IGNORECASE
)
# A bare "(2)" points at a passage only where a sentence ends: "the man (45) said" gives an age.
_MARK = re.compile(
    r"(?:\[\s*(?:(?:passages?|articles?)\s*)?|\(\s*(?:passages?|articles?)\s*|\((?=\s*\d{1,2}\s*\)\s*(?:[.!?\[(]|$)))"
    r"\s*(\d{1,3}(?:\s*(?:,|and)\s*\d{1,3})*)\s*[\])]",
    re.IGNORECASE,
)
_POINTS_AT = re.compile(
    r"(?:\b(?:according to|in|from|as per|see)\s+)?(?:\bthe\s+)?\b(?:passages?|articles?|sources?)\s*$", re.IGNORECASE
)
_POINTED = re.compile(rf"\"?\b(?:{'|'.join(_PASSAGE_KEYS)})\"?\s*[:=]\s*[\[\"]*((?:\d{{1,3}}[,\s]*)+)", re.IGNORECASE)
_CUT_TEXT = re.compile(rf"\"(?:{'|'.join(_TEXT_KEYS)})\"\s*:\s*\"(?:[^\"\\]|\\.)*\\?$", re.IGNORECASE | re.DOTALL)
_LEADING = " \t,;:.–—-)]}\"'”"
_MIN_WORDS = 2


@dataclass(frozen=True, slots=True)
class Written:
    """One statement as the model wrote it; nothing of it is checked.

    Args:
        passages: Numbers it names, in order; may be empty or name what is not there.
        quote: What it says are the words of the passage; None when it gives none.
    """

    text: str
    passages: tuple[int, ...] = ()
    quote: str | None = None


class StatementParser:
    """Takes text piece by piece and gives the statements that are complete.

    Two forms are understood, each whatever form was asked for: JSON objects with `statement`, `passage` and `quote`,
    and sentences followed by `[number]`. Sentences count at once when `simple`; else only at the end, when there was
    no object: around objects they are the model's small talk.
    """

    def __init__(self, *, simple: bool) -> None:
        self._simple = simple
        self._head: str | None = ""  # what may be the opening of the model's thoughts; None once that is settled
        self._object: list[str] | None = None
        self._in_string = False
        self._escaped = False
        self._line: list[str] = []
        self._prose: list[str] = []
        self._n_objects = 0
        self._declined = False

    @property
    def declined(self) -> bool:
        """Whether the model said that the passages do not answer."""
        return self._declined

    def feed(self, text: str) -> list[Written]:
        """Take the next piece; return the statements that it completes."""
        found: list[Written] = []
        for letter in text:
            for settled in self._past_thoughts(letter):
                found += self._take(settled)
        return found

    def close(self) -> list[Written]:
        """Take what is left when the text has ended."""
        head, self._head = self._head, None
        found = [one for letter in head or "" for one in self._take(letter)] if not _opens(head, _THINK) else []
        if self._object is not None:
            found += self._end_object(cut=True)
        found += self._end_line(cut=True)
        if not self._simple and not self._n_objects:
            found += self._read_prose(self._prose)
        return found

    def _past_thoughts(self, letter: str) -> str:
        """Return what of the text so far is settled not to be the thoughts some models open with."""
        if self._head is None:
            return letter
        self._head += letter
        if self._head.lstrip().startswith(_THINK):
            if self._head.endswith(_THOUGHT):
                self._head = None
            return ""
        if self._head.isspace() or _opens(self._head, _THINK):
            return ""
        settled, self._head = self._head, None
        return settled

    def _take(self, letter: str) -> list[Written]:
        if self._object is None:
            if letter == "{":
                self._begin_object()
            elif letter == "\n":
                return self._end_line()
            else:
                self._line.append(letter)
            return []
        if letter == "{" and (not self._in_string or _only_blank_line(self._object)):
            ended = self._end_object() if self._in_string else []  # a quotation mark was forgotten a line before
            self._begin_object()
            return ended
        self._object.append(letter)
        if self._in_string:
            self._in_string = self._escaped or letter != '"'
            self._escaped = letter == "\\" and not self._escaped
        elif letter == '"':
            self._in_string = True
        elif letter == "}":
            return self._end_object()
        return self._end_object() if len(self._object) > _MAX_OBJECT_CHARS else []

    def _begin_object(self) -> None:
        self._object, self._in_string, self._escaped = ["{"], False, False

    def _end_object(self, *, cut: bool = False) -> list[Written]:
        """Read the object; of the last one, a statement that was cut off by the model's limit is left out."""
        raw, self._object = "".join(self._object or ()), None
        written = [] if cut and _CUT_TEXT.search(raw) else _read_object(raw)
        if written is None:
            self._line += raw.replace("\n", " ")
            return []
        self._n_objects += 1
        return self._kept(written)

    def _end_line(self, *, cut: bool = False) -> list[Written]:
        """Read the line; of the last one, a sentence that was cut off by the model's limit is left out."""
        line, self._line = "".join(self._line), []
        if self._simple:
            found = self._read_prose([line])
            is_cut = cut and len(found) > 1 and not found[-1].passages and found[-1].text[-1].isalnum()
            return found[:-1] if is_cut else found
        self._prose.append(line)
        return []

    def _read_prose(self, lines: Iterable[str]) -> list[Written]:
        return self._kept([one for line in lines for one in _read_line(line)])

    def _kept(self, found: Iterable[Written]) -> list[Written]:
        kept = []
        for one in found:
            if _is_refusal(one.text):
                self._declined = True
            else:
                kept.append(one)
        return kept


def _opens(head: str | None, word: str) -> bool:
    """Say whether the head may still become the word, or has."""
    start = (head or "").lstrip()
    return head is not None and (word.startswith(start) or start.startswith(word)) and bool(start)


def _only_blank_line(letters: list[str]) -> bool:
    """Say whether nothing but blanks stands since the last line end."""
    for letter in reversed(letters):
        if letter == "\n":
            return True
        if not letter.isspace():
            return False
    return False


def _is_refusal(text: str) -> bool:
    return text.strip().lower() in _NOTHING or bool(_DECLINES.fullmatch(text.strip(" .!\"'")))


def _read_object(raw: str) -> list[Written] | None:
    """Read one flat object; a broken one by its fields' names. None when it is only text in braces."""
    try:
        fields = json.loads(raw, strict=False)
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict):
        found = {str(key).strip().lower(): value for key, value in fields.items()}
        key = next((key for key in _TEXT_KEYS if key in found), None)
        if key is None:
            return []
        quote = next((_as_text(found[key]) for key in _QUOTE_KEYS if key in found), "")
        numbers = next((_numbers(_as_text(found[key])) for key in _PASSAGE_KEYS if key in found), ())
        return [Written(_clean(_as_text(found[key])), numbers, _clean(quote) or None)]
    text = _field(raw, _TEXT_KEYS)
    if text is None:
        return None
    pointed = _POINTED.search(raw)
    numbers = _numbers(pointed.group(1)) if pointed else ()
    return [Written(_clean(text), numbers, _clean(_field(raw, _QUOTE_KEYS) or "") or None)]


def _field(raw: str, keys: tuple[str, ...]) -> str | None:
    """Find a text field in what is no JSON: up to a quotation mark that the next field or the end follows."""
    pattern = rf"\"?\b(?:{'|'.join(keys)})\"?\s*[:=]\s*\"(.*?)(?:\"?\s*,\s*\"?\w+\"?\s*[:=]|\"?\s*\}}|\"?\s*$)"
    found = re.search(pattern, raw, re.IGNORECASE | re.DOTALL)
    return found.group(1).replace('\\"', '"') if found else None


def _read_line(line: str) -> list[Written]:
    """Read one line of prose: each sentence takes the numbers that follow it, or else the one before it."""
    rest = _BULLET.sub("", neutralise(line), count=1)
    found: list[Written] = []
    place, before = 0, ""
    pending: tuple[int, ...] = ()
    for mark in _MARK.finditer(rest):
        between = _POINTS_AT.sub("", before + rest[place : mark.start()])
        place, before, numbers = mark.end(), "", _numbers(mark.group(1))
        if not _clean(between).strip(_LEADING):
            pending = numbers if not found else pending
            if found and not pending:
                found[-1] = Written(found[-1].text, tuple(dict.fromkeys((*found[-1].passages, *numbers))))
            continue
        found += _sentences(between, pending or numbers)
        pending = numbers if pending else ()
    return found + _sentences(rest[place:], pending)


def _sentences(text: str, numbers: tuple[int, ...]) -> list[Written]:
    found = []
    stripped = text.lstrip(_LEADING)
    for span in split_sentences(stripped):
        sentence = _clean(span.slice(stripped))
        is_talk = sentence.endswith((":", "?")) or (len(sentence.split()) < _MIN_WORDS and not numbers)
        if _is_refusal(sentence) or (any(letter.isalnum() for letter in sentence) and not is_talk):
            found.append(Written(sentence, numbers))
    return found


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(number) for number in _NUMBER.findall(text)))


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_as_text(each) for each in value)
    return "" if value is None or isinstance(value, bool | dict) else str(value)


def _clean(text: str) -> str:
    return flat(neutralise(text))
