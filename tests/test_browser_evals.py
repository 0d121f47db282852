"""The page in a real Chromium over the sample: what a visitor chooses for their own questions, and stored runs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect  # noqa: E402

from evals.__main__ import main  # noqa: E402
from evals.suite import find_suite  # noqa: E402
from tests.browser_page import CHROMIUM, chromium  # noqa: E402
from tests.doubtful import doubtful_case, doubtful_question  # noqa: E402
from tests.page_process import serving  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]

CERTAIN = ("Is Donald Trump the president or a former president?", "Who wrote Hamlet?")
expect.set_options(timeout=20_000)  # a page that is loaded anew has much to do on two busy cores


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """A library's folder with two runs of a tiny suite, made by the command; the page puts the sample into it."""
    folder = tmp_path_factory.mktemp("library")
    suite = tmp_path_factory.mktemp("suite") / "tiny.jsonl"
    bundled = map(json.loads, find_suite("bundled").read_text(encoding="utf-8").splitlines())
    cases = [doubtful_case(), *(case for case in bundled if case["question"] in CERTAIN)]
    suite.write_text("".join(json.dumps(case) + "\n" for case in cases))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BYLINE_LIBRARY", str(folder))
        assert main(["run", str(suite)]) == 0
        assert main(["run", str(suite), "--set", "strictness=strict", "--name", "strict"]) == 0
    (folder / "eval-runs" / "torn" / "tiny").mkdir(parents=True)
    (folder / "eval-runs" / "torn" / "tiny" / "manifest.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def address(library) -> Iterator[str]:
    with serving(library) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#chat section")
    yield page
    page.close()
    assert not errors


def ask(page: Page, question: str) -> None:
    open_tab(page, "Ask")
    n_turns = page.locator(".turn").count()
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(n_turns + 1, timeout=60_000)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def fingerprint(page: Page, said: str) -> str:
    """Return the settings' fingerprint that the inspector shows, once it shows the answer that was given last."""
    for _ in range(20):  # an answer is shown before the visitor's state holds it, which is what the inspector draws
        open_tab(page, "Inspector")
        page.wait_for_timeout(500)
        if said in page.locator("#inspector").inner_text():
            return page.locator("#inspector .count code").nth(1).inner_text()
        open_tab(page, "Ask")
    raise AssertionError(f"The inspector never shows {said!r}.")


def violations(page: Page) -> list[str]:
    page.wait_for_timeout(500)  # colours fade in
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    return [found["id"] for found in axe.Axe().run(page).response["violations"]]


def test_strictness_chosen_makes_a_doubtful_question_decline_and_is_shown_and_can_be_taken_back(page):
    ask(page, doubtful_question())
    expect(page.locator(".turn .statement").first).to_be_visible()
    as_set = fingerprint(page, "Answered with")
    open_tab(page, "Settings")
    page.get_by_label("How sure before it answers").select_option("strict")
    expect(page.locator(".settings [role=status]")).to_have_text("Your next question: strict.")
    ask(page, doubtful_question())
    last = page.locator(".turn").last
    expect(last.locator(".declined")).to_be_visible()
    expect(last.locator(".note").first).to_have_text("Asked with your settings: strict")
    assert fingerprint(page, "Declined") != as_set
    open_tab(page, "Settings")
    page.get_by_role("button", name="As set for everybody").click()
    expect(page.locator(".settings [role=status]")).to_have_text("All as set for everybody.")
    open_tab(page, "Ask")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn").last.locator(".statement").first).to_be_visible(timeout=60_000)
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(2, timeout=60_000)
    assert fingerprint(page, "Answered with") == as_set


def test_passages_chosen_are_those_that_the_inspector_shows_and_nobody_else_is_concerned(page, browser, address):
    open_tab(page, "Settings")
    field = page.get_by_label("Passages shown, 1 to 100")
    field.fill("3")
    field.press("Tab")
    expect(page.locator(".settings [role=status]")).to_have_text("Your next question: 3 passages shown.")
    expect(page.get_by_label("How sure before it answers")).to_be_focused()  # drawn anew, the keyboard keeps its place
    ask(page, doubtful_question())
    fingerprint(page, "Answered with")
    expect(page.locator(".candidates tbody tr")).to_have_count(3)
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector("#chat section")
    ask(other, doubtful_question())
    expect(other.locator(".turn")).not_to_contain_text("your settings")
    other.close()


@pytest.mark.parametrize("typed", ["0", "101", "many"])
def test_passages_out_of_range_are_refused_in_one_sentence_and_change_nothing(page, typed):
    open_tab(page, "Settings")
    field = page.get_by_label("Passages shown, 1 to 100")
    field.fill(typed)
    field.press("Enter")
    expect(page.locator(".settings [role=alert]")).to_have_text(re.compile(r"from 1 to 100\.$"))
    expect(field).to_have_value(typed)
    expect(field).to_be_focused()
    expect(page.locator(".settings [role=status]")).to_have_text("All as set for everybody.")
    assert violations(page) == []


def test_the_line_of_what_leaves_stays_with_the_only_reader_there_is(page):
    open_tab(page, "Settings")
    expect(page.locator(".leaving")).to_contain_text("Nothing leaves this machine")
    expect(page.get_by_label("What answers")).to_have_count(0)


def open_evals(page: Page) -> None:
    open_tab(page, "Evals")
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator(".evals:not([aria-busy=true]) .figures").first).to_be_visible(timeout=90_000)


def choose(page: Page, field: str, run: str) -> None:
    page.locator(f".evals select[name={field}]").focus()
    page.locator(f".evals select[name={field}]").select_option(run)
    page.wait_for_timeout(200)
    settled(page)


def test_runs_that_are_kept_are_listed_compared_and_the_damaged_one_is_named(page):
    open_evals(page)
    expect(page.locator(".evals select[name=run]")).to_have_value("strict/tiny")  # the newest
    expect(page.locator(".evals .problems")).to_contain_text("torn/tiny Its manifest.json is damaged")
    choose(page, "against", "byline/tiny")
    expect(page.locator(".evals select[name=against]")).to_be_focused()
    expect(page.locator(".evals h3").first).to_have_text("tiny: strict against byline")
    right = page.locator(".figures tbody tr", has=page.locator("th", has_text=re.compile("^Right$"))).locator("td")
    ours, theirs = (float(right.nth(place).inner_text().split()[0]) for place in (1, 2))
    assert ours < theirs  # strict declines what is doubtful
    difference, _, verdict = right.nth(3).inner_text().partition(", ")
    assert float(difference) == pytest.approx(ours - theirs, abs=0.002) and verdict.startswith("no difference seen")
    assert 0.05 < float(right.nth(4).inner_text()) <= 1
    assert page.locator(".evals figure svg").count() >= 4
    expect(page.locator(".evals")).not_to_contain_text("byline eval run kept")  # no case is kept yet


def test_a_question_that_failed_is_opened_in_the_chat_and_asked(page):
    open_evals(page)
    choose(page, "run", "strict/tiny")
    case = page.locator(".case", has_text=doubtful_question())
    case.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(case.locator("mark").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".turn .question")).to_have_text(doubtful_question())
    expect(page.locator(".turn .statement").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("textbox", name="Question")).to_have_value("")
    expect(page.get_by_role("textbox", name="Question")).to_be_focused()


def test_a_question_that_failed_does_not_replace_one_that_is_being_edited(page):
    ask(page, "What is the capital of Australia?")
    page.get_by_role("button", name="Edit question").click()
    expect(page.locator("#notice .cancel")).to_be_visible()
    open_evals(page)
    choose(page, "run", "strict/tiny")
    page.locator(".case", has_text=doubtful_question()).locator("summary").click()
    page.locator(".case", has_text=doubtful_question()).get_by_role("button", name="Ask in the chat").click()
    expect(page.get_by_role("textbox", name="Question")).to_have_value(doubtful_question())
    page.wait_for_timeout(1000)
    expect(page.locator(".turn .question")).to_have_text(["What is the capital of Australia?"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_sticks_out(browser, address, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("#chat section")
    open_evals(page)
    choose(page, "run", "strict/tiny")
    choose(page, "against", "byline/tiny")
    for summary in page.locator(".evals summary").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_tab(page, "Settings")
    page.wait_for_selector(".settings select")
    assert violations(page) == []
    page.close()


def test_a_kept_case_is_counted_with_the_command_that_asks_it(page, library):
    ask(page, "What is the capital of Australia?")
    page.get_by_role("button", name="Right").click()
    expect(page.locator(".keeping")).to_contain_text("Kept as a case")
    open_evals(page)
    expect(page.locator(".evals")).to_contain_text("1 answer is kept.")
    typed = f"byline eval run kept --library {library} --out {library}/eval-runs/byline"
    expect(page.locator(".evals pre", has_text="run kept")).to_have_text(typed)
