"""Whether a sentence is said by the speaker a question asks for, by another one, or by nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.types import Hit
from qa.asked_speaker import AskedSpeaker
from qa.evidence import Candidate
from qa.phrases import is_person_name
from qa.reader_weights import Matrix
from qa.seats import is_country
from qa.speaker_words import OF_GOVERNMENT, SPEAKS_FOR, SPOKESPERSON
from qa.speakers import Spoken, find_speakers, introductions
from qa.speaking import Mention
from qa.words import split_words

SAID, UNKNOWN, OTHER = 1.0, 0.0, -1.0
# Fitted as the other weights are, by softmax over the candidates of 197 questions for somebody's words in written_news
# (train and tune parts, which no network had learned from): 90 % intervals 0.9 to 1.8 and -1.0 to -0.2. A right
# sentence is said by the speaker found in 64 of the 197, any other sentence of its article in 5 %; by another in 2.
SAID_ADDS, OTHER_ADDS = 1.4, -0.6


def measure_speakers(asked: AskedSpeaker, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> Matrix:
    """Say of each candidate whose words it is.

    Returns:
        float64, shape (len(candidates),): `SAID` by the speaker asked for, `OTHER` when somebody else says it,
        `UNKNOWN` when the article says it, or somebody who may be the one.
    """
    found = np.zeros(len(candidates))
    strangers = np.zeros(len(candidates), dtype=bool)
    filled: set[str] = set()
    for place, candidate in enumerate(candidates):
        hit = hits[candidate.hit]
        if _is_outlet(asked, hit):
            found[place] = SAID
            continue
        speakers = _speakers_at(find_speakers(hit.article.text, hit.passage.span), candidate.span.start)
        if not speakers:
            continue
        known = introductions(hit.article.text)
        found[place] = max(compare_speaker(asked, speaker, known) for speaker in speakers)
        strangers[place] = found[place] == UNKNOWN and all(speaker.names and speaker.is_sure for speaker in speakers)
        if any(asked.roles <= speaker.roles | speaker.names and found[place] == SAID for speaker in speakers):
            filled.add(hit.article.id)
    if asked.head:  # where it is known who fills the role, the others do not
        for place, candidate in enumerate(candidates):
            if strangers[place] and hits[candidate.hit].article.id in filled:
                found[place] = OTHER
    return found


def prefer_speaker(said: Matrix) -> Matrix:
    """Return what its speaker adds to each candidate's score, shape (len(said),)."""
    return np.where(said == SAID, SAID_ADDS, np.where(said == OTHER, OTHER_ADDS, 0.0))


def compare_speaker(asked: AskedSpeaker, speaker: Mention, known: Sequence[Mention]) -> float:
    """Say whether a speaker is the one asked for.

    Args:
        asked: By the question.
        speaker: With what its article tells of it elsewhere.
        known: Whom the article introduces: a role that is somebody's there is not another one's.
    """
    names = speaker.names | speaker.behalf
    if not asked.names:
        return _compare_role(asked, speaker, known)
    same = asked.names <= names | speaker.roles or (bool(speaker.names) and speaker.names <= asked.names)
    if not same:
        return UNKNOWN if asked.head or _may_speak_for(asked, speaker) else OTHER
    if asked.head and asked.head not in speaker.roles and not _both_speak(asked, speaker):
        return UNKNOWN
    if _is_country_only(asked) and speaker.roles and not speaker.roles & (OF_GOVERNMENT | SPEAKS_FOR):
        return UNKNOWN  # "Chilean fishermen" do not speak for Chile
    return SAID


def _compare_role(asked: AskedSpeaker, speaker: Mention, known: Sequence[Mention]) -> float:
    called = speaker.roles | speaker.names | speaker.behalf  # "the supporters" speak by the chair of their trust
    if asked.head in called or _both_speak(asked, speaker):
        others = [one for one in known if asked.roles <= one.roles and not one.names <= speaker.names]
        return UNKNOWN if others and not asked.roles <= called else SAID
    return UNKNOWN  # what he is called in the question may be what he is elsewhere: "the farmer", "the veteran"


def _both_speak(asked: AskedSpeaker, speaker: Mention) -> bool:
    return asked.head in SPOKESPERSON and bool(speaker.roles & SPOKESPERSON)


def _may_speak_for(asked: AskedSpeaker, speaker: Mention) -> bool:
    """Say whether it is left open for whom somebody else speaks: "a spokesman", "the company"."""
    if not speaker.names or not speaker.is_sure:
        return True
    if speaker.behalf:
        return False
    return bool(speaker.roles & SPEAKS_FOR) and not is_person_name(asked.text)


def _is_country_only(asked: AskedSpeaker) -> bool:
    return asked.head is None and all(is_country(name) for name in asked.names)


def _speakers_at(spoken: Sequence[Spoken], start: int) -> tuple[Mention, ...]:
    return next((one.speakers for one in spoken if one.span.start <= start < one.span.end), ())


def _is_outlet(asked: AskedSpeaker, hit: Hit) -> bool:
    outlet = {word.stem for word in split_words(hit.article.source or "")}
    return bool(asked.names) and asked.names <= outlet
