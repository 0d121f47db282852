import pytest

from corpus.types import Passage, Span
from index.types import Hit, Signals
from qa.read_extractive import ExtractiveReader
from qa.rivals import clash
from tests.fakes import FakeNetwork, make_article
from tests.qa.test_read_extractive import make_weights


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2022", "2024", True),
        ("July 2022", "in 2022", False),
        ("July", "2024", False),
        ("July", "August", True),
        ("£50 million", "$66 million", False),
        ("£50 million", "£60 million", True),
        ("30,000", "30000 people", False),
        ("12", "15", True),
        ("Kigali", "London", False),
    ],
)
def test_clash_only_where_both_cannot_be_right(left, right, expected):
    assert clash(left, right) is clash(right, left) is expected


def _hits(*texts):
    hits = []
    for rank, text in enumerate(texts, 1):
        article = make_article(text, f"a{rank}")
        passage = Passage(
            f"a{rank}:0", article.id, article.version, 0, Span(0, len(text)), text, (Span(0, len(text)),), 9
        )
        hits.append(Hit(rank, passage, article, 1.0, Signals(bm25=3.0, cosine=0.6, fused=1.0)))
    return hits


def _read(*texts):
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights(rival_margin=1.0))
    return reader.read("When was the British plan for Rwanda ended?", _hits(*texts))


def test_read_shows_both_dates_when_articles_disagree():
    reading = _read("The British plan for Rwanda was ended in 2022.", "The British plan for Rwanda was ended in 2024.")
    (found,) = reading.disagreements
    assert {position.value for position in found.positions} == {"2022", "2024"}
    cited = {citation.n: citation.article.id for citation in reading.citations}
    assert [cited[position.citations[0]] for position in found.positions] == ["a1", "a2"]
    assert len(reading.statements) == 2


def test_read_sees_no_disagreement_where_articles_agree():
    assert _read("The British plan for Rwanda was ended in 2022.", "In 2022 it was ended.").disagreements == ()
