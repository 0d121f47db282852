import pytest

from qa.values import Relation, compare_values, differ_by_qualifier

SAME, DIFFERENT, UNRELATED = Relation.SAME, Relation.DIFFERENT, Relation.UNRELATED


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("£50m", "£50 million", SAME),
        ("50 million pounds", "£50 million", SAME),
        ("£50 million", "£60 million", DIFFERENT),
        ("£50 million", "$66 million", UNRELATED),
        ("98 km", "61 miles", UNRELATED),
        ("12%", "15 per cent", DIFFERENT),
        ("30,000", "30000 people", SAME),
        ("seven", "7", SAME),
        ("two weeks", "14 days", UNRELATED),
        ("May 5", "5 May", SAME),
        ("5 May 2023", "6 May 2023", DIFFERENT),
        ("2023", "November 2023", SAME),
        ("2022", "2024", DIFFERENT),
        ("July", "August", DIFFERENT),
        ("July", "2024", DIFFERENT),
        ("2021-2023", "2022", SAME),
        ("the 1990s", "1995", SAME),
        ("the 1980s", "1995", DIFFERENT),
        ("2022", "Keir Starmer", UNRELATED),
        ("Starmer", "Prime Minister Keir Starmer", SAME),
        ("UNHCR", "United Nations High Commissioner for Refugees", SAME),
        ("US", "United States", SAME),
        ("Kigali", "London", DIFFERENT),
        ("former President Trump", "President Trump", DIFFERENT),
    ],
)
def test_compare_values_sees_through_writing(left, right, expected):
    assert compare_values(left, right) is compare_values(right, left) is expected


def test_differ_by_qualifier_only_when_nothing_else_differs():
    assert differ_by_qualifier("former President", "President")
    assert not differ_by_qualifier("former President", "Prime Minister")
    assert not differ_by_qualifier("President", "the President")
