import random

import pytest

from qa.training.fit_support import _overlap
from qa.training.gather import _is_wrong
from qa.training.mix import Pool, asked_rows
from qa.training.rows import OTHER_WORDS, PLAIN, QUERIES, WRITTEN, Part, load_written, read_rows
from qa.training.statements import claims_written


@pytest.fixture(scope="module", params=[WRITTEN, PLAIN], ids=lambda folder: folder.name)
def folder(request):
    return request.param


@pytest.fixture(scope="module", params=[QUERIES, OTHER_WORDS])
def written(folder, request):
    return load_written(folder, request.param)


def test_an_article_is_in_one_part_whichever_file_asks_of_it(folder):
    first, again = (load_written(folder, questions) for questions in (QUERIES, OTHER_WORDS))
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
    first, second = next(ids for ids in pairs.values() if len(ids) == 2)
    one = next(one for one in written.asked if one.article_id == first and one.answerable)
    assert not any(_is_wrong(written, one, passage, within_article=True) for passage in written.passages[second])
    held = next(p for p in written.passages[first] if p.span.contains(one.spans[0]))
    assert not _is_wrong(written, one, held, within_article=True)


def test_rows_show_answers_and_their_absence(written):
    asked = [(written, one) for one in written.part(Part.TUNE)]
    rows = list(asked_rows(Pool((written,), asked, {}, (), ()), random.Random(1)))
    assert all(bool(row.spans) == row.answerable for row in rows)
    assert {row.answerable for row in rows} == {True, False}
