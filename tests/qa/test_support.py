import pytest

from qa.support import Evidence, SupportChecker, find_problems
from qa.types import Support
from tests.fakes import FakeNetwork

TEXT = "Rwanda wants £50 million from the UK. In March two Iraqis were sent to Kigali. It did not sign the deal."


@pytest.mark.parametrize(
    ("statement", "offending"),
    [
        ("Rwanda wants £50 million.", None),
        ("Rwanda wants £60 million.", "60"),
        ("The Rwandans want 50 million.", None),
        ("Kenya wants £50 million.", "Kenya"),
        ("2 Iraqis were sent to Kigali in March.", None),
        ("Three Iraqis were sent to Kigali.", "Three"),
        ("Two Iraqis were sent to Kigali in April.", "April"),
        ("It did sign the deal.", "denies"),
        ("Rwanda does not want £50 million from the UK.", "denies"),
        ("It did not sign the deal.", None),
        ("It did sign no deal.", None),
    ],
)
def test_find_problems_names_what_the_text_does_not_hold(statement, offending):
    problems = find_problems(statement, [TEXT])
    assert (problems == ()) if offending is None else any(offending in problem for problem in problems)


def _check(statement, quote="Rwanda wants £50 million from the UK.", passage=TEXT):
    checker = SupportChecker(FakeNetwork(), supported_from=0.9, weak_from=0.2)
    return checker.check(statement, [Evidence(quote, passage)])


def test_a_quote_is_verbatim_whatever_its_white_space():
    assert _check("Rwanda wants  £50 million\nfrom the UK.").support is Support.VERBATIM


def test_a_statement_the_passage_holds_is_supported():
    assert _check("Rwanda wants £50 million").support is Support.SUPPORTED


def test_a_wrong_figure_is_never_supported_and_is_named():
    checked = _check("Rwanda wants £60 million from the UK.")
    assert checked.support in (Support.WEAK, Support.UNSUPPORTED)
    assert any("60" in problem for problem in checked.problems)


def test_a_statement_about_something_else_is_unsupported():
    assert _check("Bananas ripen quickly.").support is Support.UNSUPPORTED


def test_a_statement_that_cites_nothing_is_unsupported():
    assert SupportChecker(FakeNetwork(), supported_from=0.9, weak_from=0.2).check("So.", []).support is (
        Support.UNSUPPORTED
    )
