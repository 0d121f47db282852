import random
from dataclasses import replace

import pytest

from qa.training.fit_support import _overlap
from qa.training.gather import _is_wrong, contrast_stage
from qa.training.mix import Pool, asked_rows
from qa.training.rows import (
    ASKED_NEWS,
    CONTRAST,
    OTHER_WORDS,
    PLAIN,
    QUERIES,
    WRITTEN,
    Part,
    Row,
    load_written,
    read_rows,
)
from qa.training.statements import claims_written


@pytest.fixture(scope="module", params=[WRITTEN, PLAIN], ids=lambda folder: folder.name)
def folder(request):
    return request.param


@pytest.fixture(scope="module", params=[QUERIES, OTHER_WORDS, CONTRAST])
def written(folder, request):
    return load_written(folder, request.param)


def test_an_article_is_in_one_part_whichever_file_asks_of_it(folder):
    first = load_written(folder, QUERIES)
    for again in (load_written(folder, questions) for questions in (OTHER_WORDS, CONTRAST)):
        assert first.parts() == again.parts()
        assert {one.article_id for one in again.part(Part.TEST)} <= {one.article_id for one in first.part(Part.TEST)}
        assert not {one.id for one in first.asked} & {one.id for one in again.asked}


def test_every_answer_is_where_it_is_said_to_be(written):
    for one in written.asked:
        text = written.articles[one.article_id].text
        assert one.answerable == bool(one.spans), one.id
        assert {span.slice(text) for span in one.spans} == set(one.answers), one.id


def test_every_answer_lies_within_a_passage(written):
    answerable = [one for one in written.asked if one.answerable]
    held = [any(p.span.contains(s) for p in written.passages[one.article_id] for s in one.spans) for one in answerable]
    assert sum(held) >= 0.99 * len(held)


@pytest.mark.parametrize("folder", [WRITTEN, PLAIN, ASKED_NEWS], ids=lambda folder: folder.name)
def test_contrast_pairs_are_of_one_form_and_length(folder):
    rows = list(read_rows(folder, CONTRAST))
    answered, opened = rows[::2], rows[1::2]
    assert [row["id"].removesuffix(".a") for row in answered] == [row["id"].removesuffix(".o") for row in opened]
    pairs = [
        (a["question"].lower().split(), o["question"].lower().split()) for a, o in zip(answered, opened, strict=True)
    ]
    assert sum(a[:2] == o[:2] for a, o in pairs) > 0.85 * len(pairs)
    assert abs(sum(len(a) - len(o) for a, o in pairs)) < 0.01 * sum(len(a) for a, _ in pairs)


def test_reports_of_one_event_stay_in_one_part(written):
    parts = {part: {written.group(one.article_id) for one in written.part(part)} for part in Part}
    assert all(parts.values())
    assert not parts[Part.TRAIN] & parts[Part.TEST] and not parts[Part.TRAIN] & parts[Part.TUNE]
    assert len(parts[Part.TRAIN]) > 2 * len(parts[Part.TEST])


def test_statements_come_both_ways_round(written, folder):
    rows = [row for part in Part for row in claims_written(written, part, random.Random(1))]
    written_ones = list(read_rows(folder, "statements"))
    assert {row["text"] for row in written_ones} <= {row.text for row in rows}
    for supported in (True, False):
        shared = [_overlap(row) for row in rows if row.supported is supported]
        assert abs(len(shared) - len(rows) / 2) < 0.05 * len(rows)
        assert min(shared) < 0.3 and max(shared) > 0.9  # neither many nor few shared words tell which it is
    right = {(row.text, row.passage) for row in rows if row.supported}
    assert not any((row.text, row.passage) in right for row in rows if not row.supported)


def test_a_report_of_the_same_event_is_never_a_wrong_passage(written):
    pairs = {}
    for article in written.articles.values():
        pairs.setdefault(written.group(article.id), []).append(article.id)
    second = {ids[0]: ids[1] for ids in pairs.values() if len(ids) == 2}
    one = next(one for one in written.asked if one.article_id in second and one.answerable)
    assert not any(
        _is_wrong(written, one, passage, within_article=True) for passage in written.passages[second[one.article_id]]
    )
    held = next(p for p in written.passages[one.article_id] if p.span.contains(one.spans[0]))
    assert not _is_wrong(written, one, held, within_article=True)


def test_rows_show_answers_and_their_absence(written):
    asked = [(written, one) for one in written.part(Part.TUNE)]
    rows = list(asked_rows(Pool((written,), asked, {}, (), ()), random.Random(1)))
    assert all(bool(row.spans) == row.answerable for row in rows)
    assert {row.answerable for row in rows} == {True, False}


def test_a_question_without_an_answer_is_shown_with_as_many_passages_as_wished():
    written = load_written(PLAIN)
    one = next(one for one in written.asked if not one.answerable and len(written.passages[one.article_id]) > 2)
    pool = Pool((written,), [(written, one)], {}, (), ())
    assert len(list(asked_rows(pool, random.Random(1)))) == len(written.passages[one.article_id])
    assert len(list(asked_rows(replace(pool, most_open=2), random.Random(1)))) == 2


def test_a_pass_over_contrast_pairs_holds_all_of_them_and_has_the_rest_balanced():
    plain, pairs = load_written(PLAIN), load_written(PLAIN, CONTRAST)
    passages = {name: pairs.passages[name] for name in sorted({one.article_id for one in pairs.asked})[:2]}
    asked = [(pairs, one) for one in pairs.asked if one.article_id in passages]
    others = [(plain, one) for one in plain.part(Part.TRAIN) if one.article_id not in passages][:60]
    texts = [("", passage) for _, one in others for passage in plain.passages[one.article_id]]
    support = [Row(passage.text, "", passage.text, supported=True) for _, passage in texts]
    written = Pool((plain,), others, {}, support, texts, [passage.text for _, passage in texts])
    given = []

    def keep_half(rows, rng):
        given.extend(rows)
        return list(rows[::2])

    rows = contrast_stage(
        written, [written], [replace(written, asked=asked, most_open=1, spoiled_share=0.0)], keep_half, "1"
    )
    shown = {passage.text for held in passages.values() for passage in held}
    of_pairs = [row.answerable for row in rows if row.passage in shown]
    assert of_pairs.count(False) == len(asked) // 2 == of_pairs.count(True)
    assert given and not any(row.passage in shown for row in given)
    rest = [row for row in rows if row.passage not in shown]
    assert sum(row in given for row in rest) >= len(given) // 2
    assert any(row.supported for row in rest)
