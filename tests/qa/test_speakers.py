"""Whose words a sentence holds. Expected speakers are read off by a person."""

import pytest

from corpus.types import Span
from qa.speakers import find_speakers


def _speakers(text):
    return [
        (one.span.slice(text), {name for speaker in one.speakers for name in speaker.names | speaker.roles})
        for one in find_speakers(text, Span(0, len(text)))
    ]


def _of(text, words):
    return next(names for sentence, names in _speakers(text) if words in sentence)


def test_find_speakers_reads_a_verb_before_and_after():
    text = "The mayor, Ann Kessler, said it was safe. The dam had cracks, said Tom Hale. It was old, Rosa Imbert said."
    assert {"ann", "kessler", "mayor"} <= _of(text, "safe")
    assert _of(text, "cracks") == {"tom", "hale"}
    assert _of(text, "old") == {"rosa", "imbert"}


def test_find_speakers_reads_according_to_and_the_colon():
    text = (
        'Fuel may be gone, according to Mairi Dunnet, who chairs the council.\n\nBright Components: "Our parts passed."'
    )
    assert {"mair", "dunnet", "chair", "council"} <= _of(text, "Fuel")
    assert {"bright", "compon"} <= _of(text, "Our parts passed")


def test_find_speakers_carries_a_quotation_over_its_sentences():
    text = (
        'Tom Hale left.\n\n"They ask too much," said Ingrid Falk, a cook. "Nobody can live so. We stay out."\n\n'
        'Rain fell.\n\n"It was cold. It was wet," Tom Hale said.'
    )
    assert {"ingrid", "falk"} <= _of(text, "Nobody can live so")
    assert {"ingrid", "falk"} <= _of(text, "We stay out")
    assert {"tom", "hale"} <= _of(text, "It was cold")
    assert _of(text, "Rain fell") == set()


def test_find_speakers_resolves_a_pronoun_to_the_speaker_before():
    text = "Owen Tarrant told reporters that he would wait. He said the navy had no ships. It rained."
    assert _of(text, "navy") == {"owen", "tarrant"}
    assert _of(text, "rained") == set()


def test_find_speakers_tells_a_passive_from_a_report():
    text = "Thousands were told to leave. A man is said to have died."
    assert all(names == set() for _, names in _speakers(text))


def test_find_speakers_knows_a_name_by_its_introduction():
    text = "Helen Osei, an engineer at the institute, saw the wall.\n\nIt will move, Osei warned."
    assert {"helen", "osei", "engin"} <= _of(text, "It will move")


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Lima denies that. A government spokesman said the boats stayed.", "peru"),
        ("Peru denies that. Its foreign minister, Ramiro Quispe, said the boats stayed.", "peru"),
    ],
)
def test_find_speakers_says_whose_government_speaks(text, country):
    spoken = find_speakers(text, Span(0, len(text)))[-1]
    assert country in {name for speaker in spoken.speakers for name in speaker.behalf}


def test_find_speakers_links_a_director_to_the_body_before():
    text = "The Water Board rejects that. Its director, Colin Reyes, said the cracks were shallow."
    assert {"water", "board"} <= {n for s in find_speakers(text, Span(0, len(text)))[-1].speakers for n in s.behalf}
