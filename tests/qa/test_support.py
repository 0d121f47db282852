from dataclasses import replace

import pytest

from qa.support import Evidence, SupportChecker, find_problems, share_of_pairs
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
        ("It refuses to sign the deal.", None),
        ("It declined to sign the deal.", None),
    ],
)
def test_find_problems_names_what_the_text_does_not_hold(statement, offending):
    problems = find_problems(statement, [TEXT])
    assert (problems == ()) if offending is None else any(offending in problem for problem in problems)


COUNTS = (
    "Rwanda wants £50 million. The attack in Goma killed 50 people and twelve soldiers on 5 March 2024. The trip took "
    "three hours and twenty-five workers came; one hundred and five stayed, 1,500 left. It fell by 5 to 6 percent."
)


@pytest.mark.parametrize(
    ("statement", "offending"),
    [
        ("Rwanda wants $50 million.", "$50 million"),
        ("Rwanda wants £50 billion.", "£50 billion"),
        ("Rwanda wants £50.", "£50"),
        ("Rwanda wants sixty million pounds.", "sixty million"),
        ("Rwanda wants fifty million pounds.", None),
        ("Rwanda wants £50m.", None),
        ("Rwanda wants £50,000,000.", None),
        ("The attack killed fifty people.", None),
        ("The attack killed 12 people.", "12"),
        ("The attack killed 50 soldiers.", "50"),
        ("The attack killed 12 Rwandan soldiers.", None),
        ("The attack on 12 March killed many.", "12 March"),
        ("The attack on March 5, 2023 killed many.", "March 5, 2023"),
        ("The attack in March 2024 killed many.", None),
        ("The attack in 2024 killed many.", None),
        ("The attack killed 5 people.", "5"),
        ("The trip took three days.", "three"),
        ("The trip took 3 hours.", None),
        ("25 workers came.", None),
        ("Thirty-five workers came.", "Thirty-five"),
        ("105 stayed and 1500 left.", None),
        ("A hundred stayed.", "hundred stayed"),
        ("More than a million stayed, several thousand left.", None),
        ("It fell by 5 percent.", None),
        ("It fell by 7%.", "7"),
        ("One of them came.", None),
    ],
)
def test_find_problems_compares_amounts_with_their_units_and_dates_whole(statement, offending):
    problems = find_problems(statement, [COUNTS])
    assert (problems == ()) if offending is None else any(problem.startswith(offending) for problem in problems)


def test_a_figure_must_stand_in_the_cited_text_and_not_only_in_the_title():
    title = "Rwanda wants £50 million | BBC | 2024-03-05"
    assert find_problems("Rwanda wants £50 million.", ["Rwanda wants money."], [title])
    assert not find_problems("On 5 March 2024 the BBC said so.", ["Rwanda wants money."], [title])
    assert find_problems("It wants 5 million.", ["Rwanda wants money."], [title])


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


def test_what_two_pieces_say_in_part_they_support_together():
    checker = SupportChecker(FakeNetwork(), supported_from=0.9, weak_from=0.2)
    first = "The port of Aden was closed on Monday."
    second = "The harbour master Omar Said ordered the closure after a fire."
    statement = "After a fire Omar Said ordered the port of Aden closed."
    apart = [checker.likelihood(statement, [Evidence(one, one)]) for one in (first, second)]
    together = [Evidence(one, one) for one in (first, second)]
    assert checker.likelihood(statement, together) > max(apart)
    assert checker.check(statement, together).support is Support.SUPPORTED
    assert all(checker.check(statement, [one]).support is not Support.SUPPORTED for one in together)


def test_a_detail_the_evidence_lacks_makes_support_less_likely():
    checker = SupportChecker(FakeNetwork(), supported_from=0.9, weak_from=0.2)
    evidence = [Evidence(TEXT, TEXT)]
    right, wrong = (checker.likelihood(f"Rwanda wants £{n} million from the UK.", evidence) for n in (50, 60))
    assert right > wrong


def test_without_evidence_support_is_unlikely():
    assert SupportChecker(FakeNetwork(), supported_from=0.9, weak_from=0.2).likelihood("So it is.", []) == 0.0


def test_pairs_of_neighbouring_words_must_stand_side_by_side():
    assert share_of_pairs("Rwanda wants money", "Rwanda wants money from the UK") == 1.0
    assert share_of_pairs("Rwanda wants money", "Money is what the UK wants from Rwanda") == 0.0
    assert share_of_pairs("Rwanda", "Rwanda") == 0.0


class _SureNetwork(FakeNetwork):
    """Always finds support, with one chance."""

    def __init__(self, logit):
        self._logit = logit

    def score(self, pairs):
        return [replace(logits, supported=self._logit) for logits in super().score(pairs)]


@pytest.mark.parametrize(
    ("statement", "logit", "support"),
    [
        ("Critics warn about the treatment of displaced or stateless people.", 1.0, Support.SUPPORTED),
        ("Critics warn about the treatment of displaced or stateless people.", -0.5, Support.WEAK),
        ("He cast doubt upon the treatment of people who are displaced or stateless.", 1.0, Support.WEAK),
        ("He cast doubt upon the treatment of people who are displaced or stateless.", 4.0, Support.SUPPORTED),
    ],
)
def test_what_its_words_do_not_hold_the_network_must_vouch_for(statement, logit, support):
    quote = (
        "Critics warn that outsourcing raises questions about the treatment of people who are displaced or stateless."
    )
    checker = SupportChecker(_SureNetwork(logit), supported_from=0.26, weak_from=0.02)
    checked = checker.check(statement, [Evidence(quote, quote)])
    assert checked.support is support
    assert (checked.problems == ()) is (support is Support.SUPPORTED or "cast" not in statement)
