import pytest

from qa.verbs import base_of_past


@pytest.mark.parametrize(
    ("past", "base"),
    [
        ("stopped", "stop"),
        ("signed", "sign"),
        ("named", "name"),
        ("used", "use"),
        ("denied", "deny"),
        ("filled", "fill"),
        ("agreed", "agree"),
        ("went", "go"),
        ("Put", "put"),
        ("need", None),
        ("reports", None),
        ("xqzzled", None),
    ],
)
def test_base_of_past_gives_what_stands_after_did(past, base):
    assert base_of_past(past) == base
