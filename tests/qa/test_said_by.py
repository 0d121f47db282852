"""Whether a sentence is said by whom the question asks for, and what that does to an answer."""

import pytest

from corpus.types import Span
from qa.asked_speaker import find_asked_speaker
from qa.said_by import OTHER, SAID, UNKNOWN, compare_speaker
from qa.speakers import find_speakers, introductions

NEWS = (
    "Peru and Chile disagree.\n\nLima says the boats stayed. A Chilean official said that 51 had crossed. "
    "Chilean fishermen said they had lost half a season.\n\n"
    "Transport Minister Owen Tarrant said the navy would wait. Northlink Ferries, the operator, put the number at 640. "
    "A spokeswoman for Northlink, Petra Lang, called that reckless. Ann Kessler, an engineer, warned of cracks."
)


def _compare(question, words):
    asked = find_asked_speaker(question)
    spoken = next(one for one in find_speakers(NEWS, Span(0, len(NEWS))) if words in one.span.slice(NEWS))
    return max(compare_speaker(asked, speaker, introductions(NEWS)) for speaker in spoken.speakers)


@pytest.mark.parametrize(
    ("question", "words", "expected"),
    [
        ("What does Peru say about the boats?", "boats stayed", SAID),
        ("What does Peru say about the boats?", "51 had crossed", OTHER),
        ("What does Chile say about the boats?", "51 had crossed", SAID),
        ("What does Chile say about the boats?", "lost half a season", UNKNOWN),
        ("What does Santiago say about the boats?", "51 had crossed", SAID),
        ("What did the transport minister say?", "navy would wait", SAID),
        ("What did Tarrant say?", "navy would wait", SAID),
        ("What did the minister say?", "warned of cracks", UNKNOWN),
        ("What does Northlink say?", "640", SAID),
        ("What does Northlink say?", "reckless", SAID),
        ("What does Northlink's spokeswoman say?", "reckless", SAID),
        ("What does Northlink say?", "warned of cracks", OTHER),
        ("What does the engineer say?", "warned of cracks", SAID),
    ],
)
def test_compare_speaker_tells_the_one_asked_for_from_others(question, words, expected):
    assert _compare(question, words) == expected
