"""Days a question asks for, counted from a stated day."""

from datetime import date

import pytest

from qa.time_dateparser import TimeAsked, find_time

TODAY = date(2025, 6, 25)  # a Wednesday


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What happened last week?", date(2025, 6, 16), date(2025, 6, 22)),
        ("What did Rubio say yesterday?", date(2025, 6, 24), date(2025, 6, 24)),
        ("What did Rubio say in March?", date(2025, 3, 1), date(2025, 3, 31)),
        ("What did Rubio say before August?", None, date(2024, 7, 31)),
        ("What did Rubio say since June 3, 2024?", date(2024, 6, 3), None),
        ("What did Rubio say after 3 June 2024?", date(2024, 6, 4), None),
        ("What was said in the last two weeks?", date(2025, 6, 11), TODAY),
        ("What was said last month?", date(2025, 5, 1), date(2025, 5, 31)),
        ("Which articles were published in 2023?", date(2023, 1, 1), date(2023, 12, 31)),
        ("What did the court decide in 2023?", None, None),
        ("May the court decide?", None, None),
        ("Who wrote Hamlet?", None, None),
    ],
)
def test_find_time_gives_the_days_asked_for(question, since, until):
    found = find_time(question, TODAY)
    assert (found.since, found.until) == (since, until)


def test_find_time_knows_publication_from_event_and_stated_from_counted_days():
    assert find_time("What was reported in March?", TODAY) == TimeAsked(
        date(2025, 3, 1), date(2025, 3, 31), is_publication=True, is_relative=True, words="in March"
    )
    assert not find_time("What did he say in March 2024?", TODAY).is_relative
    assert find_time("What is the latest on Rwanda?", TODAY).is_latest
    assert not find_time("When must it end at the latest?", TODAY)
