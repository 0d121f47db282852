import json
from importlib import resources

import numpy as np
import pytest

from corpus.errors import ReaderUnavailableError
from corpus.types import Passage, Span
from index.types import Hit, Signals
from qa.evidence import FEATURES, find_candidates, measure_evidence
from qa.network_onnx import ReaderNetwork
from qa.passage_reading import read_passages
from qa.question import analyse_question
from qa.read_extractive import ExtractiveReader
from qa.reader_weights import GATE_FEATURES, RANK_FEATURES, ReaderWeights, load_weights
from tests.fakes import FakeNetwork, make_article

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


def make_weights(**changes):
    sentence = np.zeros(len(FEATURES))
    sentence[FEATURES.index("cover")] = 1.0
    gate = np.zeros(len(GATE_FEATURES))
    gate[GATE_FEATURES.index("cover_passage")] = 10.0
    rank = np.eye(len(RANK_FEATURES))[RANK_FEATURES.index("cover_passage")]
    facts = {
        "gate_bias": -5.0,
        "rank": rank,
        "thresholds": {"balanced": 0.5, "strict": 1.0},
        "margin": 0.0,
        "list_margin": 0.2,
    } | changes
    return ReaderWeights(sentence, gate, **facts)


def test_read_cites_the_sentence_and_marks_the_name():
    reading = ExtractiveReader(FakeNetwork(), weights=make_weights()).read("Who revealed the Iraqi man?", [_hit()])
    assert reading.short_answer == "Marisa Kabas"
    (citation,) = reading.citations
    assert citation.quote.startswith("The journalist Marisa Kabas")
    assert citation.answer_span.slice(TEXT) == "Marisa Kabas"


def test_read_answers_the_part_that_it_can_and_names_the_other():
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights())
    question = "Who revealed the Iraqi man and when did Australia's glaciers melt?"
    reading = reader.read(question, [_hit()])
    assert reading.abstention is None and reading.short_answer == "Marisa Kabas"
    assert "When did Australia's glaciers melt?" in reading.degraded and "Iraqi" not in reading.degraded


def test_read_abstains_and_names_what_is_missing():
    reading = ExtractiveReader(FakeNetwork(), weights=make_weights()).read(
        "What is the capital of Australia?", [_hit()]
    )
    assert reading.abstention is not None and "Australia" in reading.abstention.reason
    assert reading.statements == () and reading.citations == ()


def test_read_declines_a_year_that_the_passage_does_not_give():
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights())
    assert reader.read("Who revealed that the Iraqi man had been deported?", [_hit()]).abstention is None
    reading = reader.read("Who revealed that the Iraqi man had been deported in 2019?", [_hit()])
    assert reading.abstention is not None and "2019" in reading.abstention.reason


def test_read_scores_every_hit_even_those_not_read():
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights(), max_hits=1)
    reading = reader.read("Who revealed the Iraqi man?", [_hit(), _hit(rank=2, id="a2")])
    assert len(reading.hit_scores) == 2 and reading.hit_scores[0] > reading.hit_scores[1]


def test_read_states_a_copied_sentence_once():
    reading = ExtractiveReader(FakeNetwork(), weights=make_weights(margin=0.5)).read(
        "Who revealed the Iraqi man deported?", [_hit(), _hit(rank=2, id="a2")]
    )
    assert len({statement.text for statement in reading.statements}) == len(reading.statements)


def test_read_passages_answers_nowhere_with_what_the_question_leaves_out():
    hit = _hit()

    def spans(question):
        (reading,) = read_passages(FakeNetwork(), question, [hit])
        return [answer.span.slice(TEXT) for answer in reading.answers if answer]

    assert any("Marisa Kabas" in span for span in spans("Who revealed the Iraqi man?"))
    assert not any("Kabas" in span for span in spans("Who besides Marisa Kabas revealed the Iraqi man?"))


def test_read_without_hits_abstains():
    assert ExtractiveReader(FakeNetwork(), weights=make_weights()).read("Who?", []).abstention is not None


def test_measure_evidence_ranks_the_covering_sentence_first():
    hits = [_hit()]
    candidates = find_candidates(hits)
    question = "Who revealed the Iraqi man?"
    readings = read_passages(FakeNetwork(), question, hits)
    rows = measure_evidence(analyse_question(question), hits, candidates, readings, is_few=False)
    assert rows.shape == (4, len(FEATURES))
    assert int(np.argmax(rows[:, FEATURES.index("cover")])) == 1


def test_measure_evidence_counts_what_retrieval_says_of_few_passages_apart():
    hits = [_hit()]
    candidates = find_candidates(hits)
    readings = read_passages(FakeNetwork(), "Who?", hits)
    many, few = (
        measure_evidence(analyse_question("Who?"), hits, candidates, readings, is_few=flag) for flag in (False, True)
    )
    for name in ("fused", "cosine", "length"):
        apart = FEATURES.index(f"{name}_few")
        assert not many[:, apart].any() and (few[:, apart] == few[:, FEATURES.index(name)]).all()


def test_load_weights_refuses_weights_of_other_features(tmp_path):
    stored = json.loads((resources.files("qa") / "models" / "extractive.json").read_text())
    path = tmp_path / "weights.json"
    path.write_text(json.dumps(stored | {"features": ["cosine"]}))
    with pytest.raises(ReaderUnavailableError, match="qa.training fit"):
        load_weights(path)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How much does Rwanda seek from Britain?", "£50 million"),
        ("Who revealed that an Iraqi man had been deported to Rwanda?", "Marisa Kabas"),
    ],
)
def test_shipped_reader_points_at_the_answer(question, expected):
    reading = ExtractiveReader(ReaderNetwork()).read(question, [_hit()])
    assert reading.short_answer == expected
    assert reading.citations[0].answer_span.slice(TEXT) == expected


def test_read_twice_is_the_same_to_the_bit():
    first, second = (ExtractiveReader(ReaderNetwork()).read("Who revealed it?", [_hit()]) for _ in range(2))
    assert first == second


def test_hit_scores_put_the_covering_hit_first():
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights())
    far = _hit("The weather stays fine. Crops do well this year.", rank=1, id="a2")
    scores = reader.read("Who revealed the Iraqi man deported to Rwanda?", [far, _hit(rank=2)]).hit_scores
    assert scores[1] > scores[0]


def test_read_declines_a_count_that_no_sentence_gives():
    reader = ExtractiveReader(FakeNetwork(), weights=make_weights())
    hit = _hit("Rwanda has accepted migrants from America. Talks go on.")
    assert reader.read("Did Rwanda accept migrants from America?", [hit]).abstention is None
    assert reader.read("How many migrants has Rwanda accepted from America?", [hit]).abstention is not None
    counted = _hit("Rwanda has accepted seven migrants from America. Talks go on.")
    assert reader.read("How many migrants has Rwanda accepted from America?", [counted]).abstention is None
