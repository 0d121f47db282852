import numpy as np
import pytest

from corpus.types import Passage, Span
from index.types import Hit, Signals
from qa.read_extractive import ExtractiveReader
from qa.reader_weights import RIVAL_FEATURES
from tests.fakes import FakeNetwork, make_article
from tests.qa.test_read_extractive import make_weights


def _hits(*texts):
    hits = []
    for rank, text in enumerate(texts, 1):
        article = make_article(text, f"a{rank}")
        passage = Passage(
            f"a{rank}:0", article.id, article.version, 0, Span(0, len(text)), text, (Span(0, len(text)),), 9
        )
        hits.append(Hit(rank, passage, article, 1.0, Signals(bm25=3.0, cosine=0.6, fused=1.0)))
    return hits


def _read(question, *texts):
    rival = np.zeros(len(RIVAL_FEATURES))
    rival[RIVAL_FEATURES.index("cover")] = 10.0
    weights = make_weights(rival=rival, rival_bias=-5.0, rival_from=0.0)
    return ExtractiveReader(FakeNetwork(), weights=weights).read(question, _hits(*texts))


WHEN = "When was the British plan for Rwanda ended?"


def test_read_shows_both_dates_when_articles_differ():
    reading = _read(
        WHEN, "The British plan for Rwanda was ended in 2022.", "The British plan for Rwanda was ended in 2024."
    )
    (found,) = reading.disagreements
    assert [position.value for position in found.positions] == ["2022", "2024"]
    cited = {citation.n: citation.article.id for citation in reading.citations}
    assert [cited[position.citations[0]] for position in found.positions] == ["a1", "a2"]
    assert len(reading.statements) == 2
    assert reading.short_answer is None  # neither is stated as the fact


def test_read_counts_who_says_the_same_as_one_position():
    ended = "The British plan for Rwanda was ended in"
    reading = _read(WHEN, f"{ended} 2022.", f"{ended} 2024.", f"{ended} July 2024.")
    (found,) = reading.disagreements
    assert [len(position.citations) for position in found.positions] == [1, 2]
    assert len(reading.citations) == 3


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        (WHEN, "The British plan for Rwanda was ended in 2022.", "In 2022 it was ended."),
        (WHEN, "The British plan for Rwanda was ended in 2024.", "The British plan for Rwanda ended in July 2024."),
        (WHEN, "The British plan for Rwanda was ended in 2024.", "Crops did well in 2023."),
        (
            "Was the British plan ended in 2022?",
            "The British plan was ended in 2022.",
            "The British plan ended in 2024.",
        ),
    ],
    ids=["same", "one says more", "of something else", "no value asked"],
)
def test_read_sees_no_disagreement(question, first, second):
    assert _read(question, first, second).disagreements == ()
