"""Words by which news says who speaks: reporting verbs, and roles of people and bodies, as stems."""

from __future__ import annotations

import re

from qa.phrases import word_set
from qa.words import stem_word


def stem_set(words: str) -> frozenset[str]:
    """Return the stems of the words of a text as a set."""
    return frozenset(stem_word(word) for word in words.split())


_SAYS = (
    "said says say told tells tell added adds wrote writes claimed claims claim argued argues argue warned warns warn "
    "explained explains replied answered responded responds complained complains insisted insists admitted admits "
    "announced announces stated states declared declares promised promises predicted predicts testified recalled "
    "asked asks noted notes stressed acknowledged conceded suggested suggests joked"
)
_HOLDS = (
    "thinks think thought believes believe believed denies denied deny rejects rejected confirms confirmed calls "
    "called describes described demands demanded accuses accused blames blamed estimates estimated reckons reckoned "
    "expects expect puts put ordered offered wants want urged questioned criticised criticized disputes disputed "
    "found fears fear knows knew dismissed praised welcomed condemned advised doubts vowed pledged hopes alleges "
    "alleged spoke"
)
VERB = re.compile(rf"\b(?:{'|'.join(sorted({*_SAYS.split(), *_HOLDS.split()}, key=len, reverse=True))})\b")
INVERTS = word_set(_SAYS) - {"told", "tells", "tell"}  # "said Smith", but never "told Smith" of Smith's telling
PRONOUNS = word_set("he she they it who i we")
PERSONAL = word_set("he she")
# Those who speak for somebody: what stands after "of", "for" or "at" is whose words they are.
SPEAKS_FOR = stem_set(
    "spokesman spokeswoman spokesperson secretary chief director minister official officials chair chairman chairwoman "
    "chairs president statement head executive founder lawyer lawyers representative leader owner coach captain mayor "
    "governor deputy ministry government administration envoy ambassador boss chancellor premier manager commissioner "
    "member members analyst analysts"
)
SPOKESPERSON = stem_set("spokesman spokeswoman spokesperson")
OF_GOVERNMENT = stem_set("government minister ministry official officials president premier navy army police cabinet")
BODY = stem_set(
    "company firm bank club group agency board council trust league union party regulator maker operator supplier "
    "newspaper court police university ministry office association commission institute authority service team"
)
POINTS_BACK = stem_set("company firm group operator maker statement")  # "the company" is the one named before
ROLES = stem_set(
    "engineer scientist researcher journalist reporter doctor professor judge fisherman farmer resident author actor "
    "singer player analyst economist expert activist critic witness survivor victim teacher student nurse paramedic "
    "soldier prosecutor lawyer attorney advocate campaigner skipper trader driver study who chairs chaired leads led "
    "runs run"
)
