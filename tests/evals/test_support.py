"""Support checks: the shipped ones, a set scored once, thresholds that no claim has a part in."""

import json
from collections.abc import Sequence

import pytest

from evals.run_support import judge_rows, run_support
from evals.support_systems import SupportSystem, make_cosine, make_overlap, support_systems

PASSAGES = ["The storm broke two piers on Monday. The council met.", "Schools will get more money."]


@pytest.fixture
def claims(tmp_path):
    rows = []
    for n in range(40):
        good = n % 2 == 0
        claim = f"The storm broke {'two piers' if good else 'sixty windows'} in case {n}."
        passages = [{"id": "p", "text": f"The storm broke two piers in case {n}."}]
        rows.append({"id": n, "claim": claim, "label": "supported" if good else "not_supported", "passages": passages})
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "set"


def test_overlap_by_hand():
    score = make_overlap()
    assert score("Storms broke the piers.", PASSAGES) == 1.0
    assert score("The storm broke windows.", PASSAGES) == pytest.approx(2 / 3)
    assert (score("Windows.", []), score("It is.", PASSAGES)) == (0.0, 0.0)


def test_cosine_prefers_what_is_said():
    score = make_cosine()
    said, other = score("A storm damaged two piers.", PASSAGES), score("The team won the cup.", PASSAGES)
    assert 1.0 >= said > other + 0.2
    assert score("The council met. The team won the cup.", PASSAGES) == pytest.approx(
        (score("The council met.", PASSAGES) + other) / 2, abs=1e-5
    )
    assert score("Anything.", []) == 0.0


def test_run_support_measures_and_scores_only_once(claims, tmp_path):
    asked = []

    def make():
        def score(claim: str, passages: Sequence[str]) -> float:
            asked.append(claim)
            return float("two piers" in claim)

        return score

    systems = {"perfect": SupportSystem(make, "1"), "constant": SupportSystem(lambda: lambda claim, passages: 0.5, "1")}
    perfect, constant = run_support(claims, tmp_path / "work", systems=systems)
    assert (perfect.n, perfect.n_supported, perfect.auroc.value, perfect.balanced_accuracy.value) == (40, 20, 1.0, 1.0)
    assert (constant.auroc.value, constant.balanced_accuracy.value) == (0.5, 0.5)
    assert constant.against is not None and constant.against.p_value < 0.01
    assert run_support(claims, tmp_path / "work", systems=systems)[0] == perfect
    assert len(asked) == 40
    run_support(claims, tmp_path / "work", systems={"perfect": SupportSystem(make, "2")}, limit=10)
    assert len(asked) == 50


def test_a_threshold_of_its_own_is_kept(claims, tmp_path):
    systems = {"strict": SupportSystem(lambda: lambda claim, passages: 0.6, "1", threshold=0.7)}
    [report] = run_support(claims, tmp_path / "work", systems=systems)
    assert report.balanced_accuracy.value == 0.5
    assert judge_rows({"a": (1.0, 0.6), "b": (0.0, 0.8)}, 0.7) == {"a": (1.0, 0.0), "b": (0.0, 1.0)}


def test_no_claim_has_a_part_in_its_own_threshold():
    rows = {str(n): (float(n % 2), 0.5 + 0.1 * (n % 2)) for n in range(20)}
    alone = rows | {"odd one": (1.0, 0.1)}
    without = judge_rows(rows, None)
    assert judge_rows(alone, None)["odd one"] == (1.0, 0.0)
    assert all(judged == supported for supported, judged in without.values())


def test_the_shipped_checks_order_the_easy_set(claims, tmp_path):
    for report in run_support(claims, tmp_path / "work", limit=20):
        assert report.auroc.value > 0.9, report.system
    assert list(support_systems()) == ["word overlap", "cosine of best sentence", "support head", "support check"]
