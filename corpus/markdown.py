"""Markdown -> the words a reader sees; headings and list marks stay."""

import html
import re

_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_UNDERLINED = re.compile(r"^(?P<text>[^\s#>|*+-][^\n]*)\n(?P<line>={3,}|-{3,})[ \t]*$", re.MULTILINE)
_LINK_TARGET = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]+\S+[^\n]*$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]\n]*)\](?:\(\s?[^()\s]*(?:\([^()\s]*\)[^()\s]*)?(?:[ \t]+\"[^\"\n]*\")?\)|\[[^\[\]\n]*\])"
)
_STRONG = re.compile(r"(?P<mark>\*\*|__)(?=\S)(?P<text>[^*_\n]+)(?<=\S)(?P=mark)")
_STARRED = re.compile(r"(?<![\w*])\*(?=\S)(?P<text>[^*\n]+)(?<=\S)\*(?![\w*])")
_UNDERSCORED = re.compile(r"(?<![\w_])_(?=\S)(?P<text>[^_\n]+)(?<=\S)_(?![\w_])")
_CODE = re.compile(r"`(?P<text>[^`\n]+)`")
_ESCAPED = "\\`*_{}[]()#+-.!|<>~\"'"
_ESCAPE = re.compile(rf"\\([{re.escape(_ESCAPED)}])")
# An escaped mark is kept out of the way as a code point that Unicode promises never to use in text.
_STAND_INS = {mark: chr(0xFDD0 + number) for number, mark in enumerate(_ESCAPED)}
_STAND_BACK = str.maketrans("".join(_STAND_INS.values()), _ESCAPED)


def plain_markdown(text: str) -> str:
    """Return `text` without the marks a Markdown reader would not see.

    Links become their words, emphasis and code marks go, comments are dropped, underlined headings become `#`
    headings, entities become characters. Fenced code is left as it stands.
    """
    lines = _without_comments(text.replace("\r\n", "\n")).split("\n")
    parts: list[str] = []
    fenced = False
    prose: list[str] = []
    for line in lines:
        if _FENCE.match(line):
            parts += [] if fenced else [_plain_prose("\n".join(prose))]
            fenced, prose = not fenced, []
        elif fenced:
            parts.append(line)
        else:
            prose.append(line)
    return "\n".join([*parts, _plain_prose("\n".join(prose))])


def _plain_prose(text: str) -> str:
    text = _ESCAPE.sub(lambda m: _STAND_INS[m[1]], text)
    text = _UNDERLINED.sub(lambda m: f"{'#' if m['line'][0] == '=' else '##'} {m['text']}", text)
    text = _LINK_TARGET.sub("", text)
    for _ in range(2):  # twice: an image inside a link, emphasis inside strong emphasis
        for pattern in (_LINK, _STRONG, _STARRED, _UNDERSCORED, _CODE):
            text = pattern.sub(lambda m: m["text"], text)
    return html.unescape(text.translate(_STAND_BACK))


def _without_comments(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[position:start])
        position = end + len("-->")
    return "".join([*kept, text[position:]])
