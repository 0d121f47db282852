"""The fit over a small world where the right answer is known: cities, their mayors and the year they were elected."""

import numpy as np
import pytest

from corpus.chunk import chunk_article
from corpus.types import Span
from index.types import Hit, Signals
from qa.evidence import FEATURES
from qa.read_extractive import ExtractiveReader
from qa.reader_weights import RANK_FEATURES, ReaderWeights
from qa.training.cases import blank_weights, make_case
from qa.training.fit import fit_gate, fit_rank, fit_sentences, fit_threshold
from qa.training.fit_figures import calibration, curve, measure, score
from qa.training.plot_svg import plot_reader
from qa.training.rows import Asked, Part
from tests.fakes import FakeNetwork, make_article

CITIES = ("Lagos", "Quito", "Oslo", "Dhaka", "Perth", "Accra", "Lima", "Turin", "Baku", "Cork", "Graz", "Lviv")
MAYORS = tuple(
    [
        "Adeyemi",
        "Borja",
        "Lange",
        "Rahman",
        "Clarke",
        "Mensah",
        "Castro",
        "Ricci",
        "Aliyev",
        "Murphy",
        "Huber",
        "Melnyk",
    ]
)


def _text(city, mayor):
    return f"The market opened early. {mayor} became the mayor of {city} after a long campaign. It rained all day."


def _hits(first):
    order = [first, *(i for i in range(4) if i != first)]
    hits = []
    for rank, i in enumerate(order, 1):
        article = make_article(_text(CITIES[i], MAYORS[i]), f"a{i}")
        signals = Signals(bm25=1.0, cosine=0.5, fused=1.0 / rank)
        hits.append(Hit(rank, chunk_article(article)[0], article, 1.0 / rank, signals))
    return hits


@pytest.fixture(scope="module")
def cases():
    reader = ExtractiveReader(FakeNetwork(), weights=blank_weights())
    made = []
    for i, city in enumerate(CITIES):
        for known in (True, False):
            question = f"Who became the mayor of {city}?" if known else f"Who designed the airport of {city}?"
            hits = _hits(i)
            text = hits[0].article.text
            start = text.index(MAYORS[i])
            gold = ((f"a{i}", Span(start, start + len(MAYORS[i]))),) if known else ()
            asked = Asked(f"q{i}{known}", question, f"a{i}", f"a{i}", "", (), (MAYORS[i],), known, gold)
            made.append(make_case("clapnq", Part.TUNE, asked, hits, reader.weigh(question, hits)))
    return made


@pytest.fixture(scope="module")
def fitted(cases):
    sentence = fit_sentences(cases)
    scored = [score(case, sentence) for case in cases]
    gate, bias = fit_gate(scored)
    rank = fit_rank([case for case in cases if case.gold])
    return scored, ReaderWeights(sentence, gate, bias, rank, {"balanced": 0.5}, 0.0, 0.0)


def test_fitted_sentence_weights_put_the_right_sentence_first(fitted):
    scored, weights = fitted
    assert weights.sentence.shape == (len(FEATURES),)
    assert all(one.is_right for one in scored if one.case.asked.answerable)


def test_fitted_gate_tells_what_the_articles_do_not_say(fitted):
    scored, weights = fitted
    sure = [weights.chance(one.gate_row) for one in scored if one.case.asked.answerable]
    unsure = [weights.chance(one.gate_row) for one in scored if not one.case.asked.answerable]
    assert min(sure) > max(unsure)


def test_a_stricter_cost_never_lowers_the_threshold(fitted):
    scored, weights = fitted
    thresholds = [fit_threshold(scored, weights, cost) for cost in (0.5, 1.0, 2.0)]
    assert thresholds == sorted(thresholds)


def test_fitted_rank_puts_the_hit_with_the_evidence_first(cases, fitted):
    _, weights = fitted
    assert weights.rank.shape == (len(RANK_FEATURES),)
    for case in cases:
        if case.gold:
            assert case.holds[int(np.argmax(case.rank_rows @ weights.rank))]


def test_measures_are_those_of_a_perfect_reader(fitted):
    scored, weights = fitted
    figures = measure(scored, weights)
    assert figures["answered right, of answerable"] == figures["declined, of unanswerable"] == 1.0
    assert figures["AUROC of confidence for being right"] == 1.0
    assert list(curve(scored, weights).values())[:5] == [1.0] * 5


def test_a_wrong_sentence_lowers_the_figures(cases, fitted):
    _, weights = fitted
    backwards = [score(case, -weights.sentence) for case in cases]
    assert measure(backwards, weights)["right sentence, when it was retrieved"] == 0.0


def test_plots_hold_every_point(fitted):
    scored, weights = fitted
    bins = calibration(scored, weights)
    svg = plot_reader(curve(scored, weights), bins)
    assert svg.startswith("<svg") and svg.count("<circle") == 10 + len(bins)
    assert sum(n for *_, n in bins) == len(scored)
