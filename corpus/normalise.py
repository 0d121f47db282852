"""Raw text -> the normalised text that every offset of the project points into."""

import re
import unicodedata

_LINE_ENDS = "\r\v\f\x85\u2028\u2029"
_BLANKS = "\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_SURROGATES = "\ud800-\udfff"

# Removed, because none of them is ever seen and each splits a word for search or hides text from the eye:
# control characters and NULs; the soft hyphen, zero-width space, word joiner and byte order mark (hyphenation
# hints and leftovers); bidirectional marks, embeddings and overrides (an override makes a displayed quote read
# differently from the stored one); interlinear marks; the invisible "tag" letters used to smuggle instructions.
# Kept: the zero-width joiner and non-joiner (emoji, Persian, Indic spelling) and variation selectors (emoji).
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_ODD = re.compile(f"(?P<end>[{_LINE_ENDS}])|(?P<blank>[{_BLANKS}])|(?P<broken>[{_SURROGATES}])|[{_INVISIBLE}]")
_ANY_ODD = re.compile(f"[{_LINE_ENDS}{_BLANKS}{_SURROGATES}{_INVISIBLE}]")  # one class is searched ten times as fast
_STAND_INS = {"end": "\n", "blank": " ", "broken": "\ufffd", None: ""}

# Accents lie beyond Latin letters: only in such a run can a pile of them hide.
_FOREIGN_RUN = re.compile("[^\x00-\u02ff]{31,}")
_MAX_MARKS = 30  # Unicode's stream-safe limit; NFC takes quadratic time on longer piles of combining marks


def normalise_text(text: str) -> str:
    """Return `text` in the one form that is stored, shown and cited.

    NFC; every line end is a line feed; tabs and other blanks are spaces; control and invisible characters are
    gone; lone surrogates become U+FFFD; no spaces at line ends, no more than one blank line in a row, none at
    either end. Applying it twice changes nothing.
    """
    text = _ANY_ODD.sub(_stand_in, text.replace("\r\n", "\n"))
    text = unicodedata.normalize("NFC", _FOREIGN_RUN.sub(_thin_marks, text))
    if " \n" in text:  # a pattern would take quadratic time on long gaps
        text = "\n".join(line.rstrip(" ") for line in text.split("\n"))
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def _stand_in(odd: re.Match[str]) -> str:
    kind = _ODD.match(odd[0])
    return _STAND_INS[kind.lastgroup] if kind else ""


def _thin_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    pile = 0
    for char in run[0]:
        pile = pile + 1 if unicodedata.combining(char) else 0
        if pile <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
