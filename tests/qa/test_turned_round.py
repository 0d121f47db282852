import pytest

from qa.support import find_problems
from qa.turned_round import turned_round

TEXT = "Rwanda wants £50 million from the UK as compensation. Keir Starmer sued Paul Kagame and Yoweri Museveni in May."


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("The UK wants £50 million from Rwanda.", ("UK", "Rwanda")),
        ("Paul Kagame sued Keir Starmer.", ("Paul Kagame", "Keir Starmer")),
        ("Rwanda wants £50 million from the UK.", None),
        ("Paul Kagame was sued by Keir Starmer.", None),
        ("Keir Starmer sued Yoweri Museveni and Paul Kagame.", None),
        ("The UK owes Rwanda £50 million.", None),
        ("Rwanda wants compensation.", None),
    ],
)
def test_turned_round_names_the_two_that_were_exchanged(statement, names):
    assert turned_round(statement, TEXT) == names
    assert any("other way round" in problem for problem in find_problems(statement, [TEXT])) == (names is not None)
