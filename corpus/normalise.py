"""Raw text -> the normalised text that every offset of the project points into."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_SURROGATES = re.compile("[\ud800-\udfff]")

# Removed, because none of them is ever seen and each splits a word for search or hides text from the eye:
# control characters and NULs; the soft hyphen, zero-width space, word joiner and byte order mark (hyphenation
# hints and leftovers); bidirectional marks, embeddings and overrides (an override makes a displayed quote read
# differently from the stored one); interlinear marks; the invisible "tag" letters used to smuggle instructions.
# Kept: the zero-width joiner and non-joiner (emoji, Persian, Indic spelling) and variation selectors (emoji).
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

_LONG_RUN = re.compile(r"\S{256,}")  # words are shorter; only a longer run can hide a long pile of marks
_MAX_MARKS = 30  # Unicode's stream-safe limit; NFC takes quadratic time on longer piles of combining marks

_BLANK_LINES = re.compile(r"\n{3,}")


def normalise_text(text: str) -> str:
    """Return `text` in the one form that is stored, shown and cited.

    NFC; every line end is a line feed; tabs and other blanks are spaces; control and invisible characters are
    gone; lone surrogates become U+FFFD; no spaces at line ends, no more than one blank line in a row, none at
    either end. Applying it twice changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _SPACES.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    text = _SURROGATES.sub("\ufffd", text)
    text = unicodedata.normalize("NFC", _LONG_RUN.sub(_thin_marks, text))
    text = "\n".join(line.rstrip(" ") for line in text.split("\n"))  # a pattern takes quadratic time on long gaps
    return _BLANK_LINES.sub("\n\n", text).strip()


def _thin_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    pile = 0
    for char in run[0]:
        pile = pile + 1 if unicodedata.combining(char) else 0
        if pile <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
