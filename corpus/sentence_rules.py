"""Where one stretch of prose ends its sentences: sentencex, overruled by what news text needs."""

import re
from collections.abc import Iterator

import sentencex  # type: ignore[import-untyped]

from corpus.sentence_words import (
    AFTER_HOUR,
    BEFORE_NUMBER,
    BEFORE_NUMBER_IN_LOWER_CASE,
    GERMAN_MONTHS,
    HOURS,
    LEADS_ON,
    OPENERS,
    SHORTENED,
    TITLES,
    WHOLE_WORDS,
)

# Closing quotes and brackets belong to the sentence they close, also when tokenised text puts a blank before them.
_CLOSERS = r"""(?:['"”’»›)\]}」』]|[“‘](?=\s|\Z)|[ ](?:''|[)\]”»](?=\s|\Z)|"(?=\s|\Z))|\[\d{1,3}\])*"""
_STOP = re.compile(rf"(?P<stop>[.!?…]+|[。！？｡]+)(?P<close>{_CLOSERS})(?P<gap>\s*)")
_CJK_STOPS = "。！？｡"
_OWN_STOPS = frozenset(".!?…" + _CJK_STOPS)

# What cannot open a sentence when no word follows it: "p. 3), ...", leaders of dots, bars between links.
_NEVER_OPENS = frozenset(",;:)]}%/&|.!?")

_WORD_BEFORE = re.compile(r"[^\W_][\w.'’&-]*\Z")
_WORD_AFTER = re.compile(r"[\"'“”‘’«»(\[{¡¿`*_—–-]*\s?([^\W_][\w'’.]*)?")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\Z")
_SPEECH = re.compile(
    r"(?:[\w.'’-]+ ){1,3}(?:said|says|asked|asks|wrote|added|told|replied|continued|tweeted|recalled|joked)"
    r"(?: (?:him|her|them|me|us|reporters|of|in)\b|[.,;:]|\Z)"
)

_LOOK_BACK = 40  # characters; longer than any abbreviation, and makes one stop cost the same in any text
_LOOK_AHEAD = 80  # characters; enough for "the ministry spokeswoman said"
_MAX_ASIDE = 300  # characters; a bracketed aside longer than this is cut like other text


def sentence_ends(unit: str) -> list[int]:
    """Return the offsets at which `unit` is to be cut, each after a stop, its closing quotes and the blanks.

    Args:
        unit: One paragraph, heading or list item; line ends inside it count as blanks.
    """
    boundaries = sentencex.get_sentence_boundaries("en", unit)
    agreed = {boundary["end_index"] for boundary in boundaries}
    # Stops of scripts the rules below do not know (Arabic, Devanagari, Ethiopic, ...) are sentencex's alone.
    ends = {b["end_index"] for b in boundaries if b["boundary_symbol"] and b["boundary_symbol"] not in _OWN_STOPS}
    asides = _asides(unit)
    aside = next(asides, None)
    for match in _STOP.finditer(unit):
        while aside and aside[1] <= match.end("close"):
            aside = next(asides, None)
        inside = aside is not None and aside[0] <= match.start()
        if inside or match.end() == len(unit):
            continue
        verdict = _verdict(unit, match)
        if verdict or (verdict is None and match.end() in agreed):
            ends.add(match.end())
    return sorted(ends - {len(unit)})


def _verdict(unit: str, match: re.Match[str]) -> bool | None:
    """Say whether a stop ends its sentence; None leaves the choice to sentencex."""
    rest = unit[match.end() : match.end() + _LOOK_AHEAD]
    lead = _WORD_AFTER.match(rest)
    word = (lead[1] or "") if lead else ""
    if word[:1].islower() and not word[1:2].isupper():  # "iPhone" may open a sentence
        return False
    if not word and lead and rest[lead.end() : lead.end() + 1] in _NEVER_OPENS:
        return False
    if match["stop"][0] in _CJK_STOPS:
        return True
    before = _WORD_BEFORE.search(unit, max(0, match.start() - _LOOK_BACK), match.start())
    if not match["gap"]:
        return _is_glued_end(unit, match, before, word)
    if match["stop"][0] in "!?" and match["close"] and _SPEECH.match(rest):
        return False
    if match["stop"] != "." or match["close"] or before is None:
        return True
    if _is_label(unit, before, rest):
        return False
    return _ends_after(before[0], word)


def _is_label(unit: str, before: re.Match[str], rest: str) -> bool:
    """Recognise what numbers or times the text behind it: `1. First`, `a. First`, `8:50 p.m. — The`."""
    if before[0].lower() in HOURS:
        return rest[:1] in {"–", "—", "-"}
    return (before[0].isdigit() or len(before[0]) == 1) and not unit[: before.start()].strip(" (\n")


def _ends_after(token: str, word: str) -> bool | None:
    """Judge a single stop between `token` and the capitalised or numeric `word`; None leaves it to sentencex."""
    key = token.lower()
    capital = token[0].isupper()
    opens = word.lower() in OPENERS
    if key in LEADS_ON or (capital and key in TITLES):
        return False
    if word[:1].isdigit() and key in (BEFORE_NUMBER if capital else BEFORE_NUMBER_IN_LOWER_CASE):
        return False
    if key in HOURS:
        return word.lower().rstrip(".") not in AFTER_HOUR
    if key.isdigit() and len(key) <= 2 and word.lower().rstrip(".") in GERMAN_MONTHS:
        return False
    if _ACRONYM.match(token) or key == "al" or (capital and (len(key) == 1 or key in SHORTENED)):
        return opens
    if capital and len(key) <= 4 and not token.isupper() and key not in WHOLE_WORDS:
        return None
    return True


def _is_glued_end(unit: str, match: re.Match[str], before: re.Match[str] | None, word: str) -> bool:
    """Judge a stop without a blank behind it, as careless extraction leaves: `end.The next`, `end.”The next`."""
    if not (word[:1].isupper() and word[1:2].islower()):
        return False
    if match["close"]:
        return match["close"][-1] in '"”»'
    if before is None or unit[max(0, before.start() - 1) : before.start()] in {"/", "@", "_"}:
        return False
    return len(match["stop"]) == 1 and len(before[0]) >= 3 and before[0].isalpha() and before[0].islower()


def _asides(unit: str) -> Iterator[tuple[int, int]]:
    """Yield the bracketed asides that stand inside a sentence, as (start, end just behind the bracket)."""
    position = unit.find("(")
    while position >= 0:
        end = unit.find(")", position, position + _MAX_ASIDE) + 1
        before = unit[max(0, position - 3) : position].rstrip()
        if end and before and before[-1] not in ".!?…":
            yield position, end
        position = unit.find("(", max(end, position + 1))
