import json
from importlib import resources

import numpy as np
import pytest

from corpus.errors import ReaderUnavailableError
from corpus.types import Passage, Span
from index.types import Hit, Signals
from qa.evidence import FEATURES, find_candidates, measure_evidence
from qa.likeness import Likeness
from qa.question import analyse_question
from qa.read_extractive import GATE_FEATURES, ExtractiveReader, ReaderWeights, load_weights
from qa.short_answer import find_short_answer
from tests.fakes import FakeEmbedder, make_article

TEXT = (
    "Talks with Rwanda are at an early stage. The journalist Marisa Kabas revealed that an Iraqi man had been "
    "deported to Rwanda in March. Officials in Kigali later confirmed it. Rwanda seeks £50 million from Britain."
)


def _hit(text=TEXT, rank=1, id="a1"):
    article = make_article(text, id)
    starts = [0, *[i + 2 for i in range(len(text)) if text[i : i + 2] == ". "]]
    sentences = tuple(Span(a, b) for a, b in zip(starts, [*[s - 1 for s in starts[1:]], len(text)], strict=True))
    passage = Passage(f"{id}:0", id, article.version, 0, Span(0, len(text)), text, sentences, 40)
    return Hit(rank, passage, article, 1.0, Signals(bm25=3.0, cosine=0.6, fused=1.0))


def _weights(**changes):
    sentence = np.zeros(len(FEATURES))
    sentence[FEATURES.index("cover")] = 1.0
    gate = np.zeros(len(GATE_FEATURES))
    gate[GATE_FEATURES.index("cover_passage")] = 10.0
    facts = {"gate_bias": -5.0, "threshold": 0.5, "margin": 0.0, "list_margin": 0.2} | changes
    return ReaderWeights(sentence, gate, **facts)


def test_read_cites_the_sentence_and_marks_the_name():
    reading = ExtractiveReader(FakeEmbedder(), weights=_weights()).read("Who revealed the Iraqi man?", [_hit()])
    assert reading.short_answer == "Marisa Kabas"
    (citation,) = reading.citations
    assert citation.quote.startswith("The journalist Marisa Kabas")
    assert citation.answer_span.slice(TEXT) == "Marisa Kabas"


def test_read_abstains_and_names_what_is_missing():
    reading = ExtractiveReader(FakeEmbedder(), weights=_weights()).read("What is the capital of Australia?", [_hit()])
    assert reading.abstention is not None and "Australia" in reading.abstention.reason
    assert reading.statements == () and reading.citations == ()


def test_read_declines_a_year_that_the_passage_does_not_give():
    reader = ExtractiveReader(FakeEmbedder(), weights=_weights())
    assert reader.read("Who revealed that the Iraqi man had been deported?", [_hit()]).abstention is None
    reading = reader.read("Who revealed that the Iraqi man had been deported in 2019?", [_hit()])
    assert reading.abstention is not None and "2019" in reading.abstention.reason


def test_read_scores_every_hit_even_those_not_read():
    reader = ExtractiveReader(FakeEmbedder(), weights=_weights(), max_hits=1)
    reading = reader.read("Who revealed the Iraqi man?", [_hit(), _hit(rank=2, id="a2")])
    assert len(reading.hit_scores) == 2 and reading.hit_scores[0] > reading.hit_scores[1]


def test_read_states_a_copied_sentence_once():
    reading = ExtractiveReader(FakeEmbedder(), weights=_weights(margin=0.5)).read(
        "Who revealed the Iraqi man deported?", [_hit(), _hit(rank=2, id="a2")]
    )
    assert len({statement.text for statement in reading.statements}) == len(reading.statements)


def test_read_without_hits_abstains():
    assert ExtractiveReader(FakeEmbedder(), weights=_weights()).read("Who?", []).abstention is not None


def test_measure_evidence_ranks_the_covering_sentence_first():
    hits = [_hit()]
    candidates = find_candidates(hits)
    rows = measure_evidence(analyse_question("Who revealed the Iraqi man?"), hits, candidates, Likeness(FakeEmbedder()))
    assert rows.shape == (4, len(FEATURES))
    assert int(np.argmax(rows[:, FEATURES.index("cover")])) == 1


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("How much does Rwanda seek from Britain?", 3, "£50 million"),
        ("When was the Iraqi man deported?", 1, "March"),
        ("Where did officials confirm it?", 2, "Kigali"),
        ("Why did officials confirm it?", 2, None),
    ],
)
def test_find_short_answer_takes_the_wanted_kind(question, sentence, expected):
    candidate = find_candidates([_hit()])[sentence]
    span = find_short_answer(analyse_question(question), candidate)
    assert (span.slice(candidate.text) if span else None) == expected


def test_load_weights_refuses_weights_of_other_features(tmp_path):
    stored = json.loads((resources.files("qa") / "models" / "extractive.json").read_text())
    path = tmp_path / "weights.json"
    path.write_text(json.dumps(stored | {"features": ["cosine"]}))
    with pytest.raises(ReaderUnavailableError, match="fit_reader"):
        load_weights(path)


def test_likeness_is_the_same_kept_or_fresh():
    likeness = Likeness(FakeEmbedder())
    sentences = ["Rwanda seeks money.", "Talks go on."]
    first = likeness.compare("What does Rwanda seek?", sentences)
    assert np.array_equal(first, likeness.compare("What does Rwanda seek?", sentences))
    assert first[0, 1] > first[1, 1] and first[0, 0] > first[1, 0]


def test_likeness_of_a_text_with_itself_is_one():
    assert np.allclose(Likeness(FakeEmbedder()).compare("Talks go on.", ["Talks go on."]), 1.0, atol=1e-3)


def test_find_short_answer_takes_the_sum_before_its_conversion():
    candidate = find_candidates([_hit("Rwanda wants £50 million (about $66 million) from Britain.")])[0]
    span = find_short_answer(analyse_question("How much does Rwanda want?"), candidate)
    assert span is not None and span.slice(candidate.text) == "£50 million"
