"""The page in a real Chromium over made-up articles: what is shown of an answer, and what can be done with it."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect  # noqa: E402

from qa.evidence_pack import check_pack  # noqa: E402
from qa.service import Service  # noqa: E402
from qa.types import Disagreement, Position, Statement, Support  # noqa: E402
from qa.worker_pool import Limits  # noqa: E402
from tests.browser_page import CHROMIUM, chromium  # noqa: E402
from tests.fakes import make_article  # noqa: E402
from tests.fakes_page import FakeByline  # noqa: E402
from tests.page_thread import serving_here  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]

FILL = "\n\n".join(f"Paragraph {n} tells of the weather in general." for n in range(40))
RAIN = make_article(
    f"Rain fell on Oslo. Mary Lee, the mayor, saw it.\n\n{FILL}\n\nOslo counted 12 hurt.", "rain", source="The Daily"
)
SNOW = make_article("Snow fell on Oslo. Nobody saw it. Oslo counted 20 hurt.", "snow", source="The Weekly")


class Scripted(FakeByline):
    """Says of a question with `disagree` that its first two citations do, and doubts the second statement."""

    def _events(self, question, filters):
        for event in super()._events(question, filters):
            if event.answer and "disagree" in question:
                answer = event.answer
                sides = (Position("12 hurt", (1,)), Position("20 hurt", (2,)))
                doubted = Statement("Snow fell twice.", (2,), Support.WEAK, ("'twice' is not in the quote",))
                event = replace(
                    event,
                    answer=replace(
                        answer,
                        standalone_question="How many did Oslo count?",
                        short_answer="12 or 20",
                        statements=(answer.statements[0], doubted, *answer.statements[2:]),
                        disagreements=(Disagreement("how many were hurt", sides),),
                    ),
                )
            yield event


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with serving_here(Scripted(folder, RAIN, SNOW)) as address:
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
    n_turns = page.locator(".turn").count()
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(n_turns + 1, timeout=30_000)


def marked(page: Page) -> str:
    return "".join(page.locator("mark.active").all_inner_texts())


def test_answer_shows_outlet_support_disagreement_and_what_was_read_as(page):
    ask(page, "Do they disagree about Oslo?")
    turn = page.locator(".turn")
    expect(turn.locator(".note").first).to_have_text("Read as: How many did Oslo count?")
    expect(turn.locator(".short")).to_have_text("12 or 20")
    expect(turn.locator(".side .chip").first).to_contain_text("The Daily")
    expect(turn.locator(".statement .chip.verbatim .state").first).to_have_text("quoted")
    expect(turn.locator(".statement .chip.weak .state")).to_have_text("weak")
    expect(turn.locator(".support")).to_have_text("weakly supported: 'twice' is not in the quote")
    left, right = (side.bounding_box() for side in turn.locator(".side").all())
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    page.set_viewport_size({"width": 390, "height": 844})
    sticking_out = (
        "[...document.querySelectorAll('#chat-column *')].filter(p => p.getBoundingClientRect().right > 390.5)"
    )
    assert page.evaluate(f"{sticking_out}.filter(p => !p.closest('.suggested')).map(p => p.outerHTML)") == []


def test_quote_is_shown_on_hover_and_focus_and_put_away_by_escape(page):
    ask(page, "Was Mary there?")
    chip, card = page.locator(".chip").first, page.locator("#quote-card")
    chip.hover()
    expect(card).to_have_text("Mary Lee, the mayor, saw it.")
    card.hover()
    page.wait_for_timeout(300)
    expect(card).to_be_visible()  # the pointer may rest on it
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    chip.focus()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(chip).to_be_focused()


def test_citations_are_walked_through_by_keyboard_alone(page):
    page.keyboard.type("What of Oslo?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(1, timeout=30_000)
    for key, words in (
        ("ArrowDown", "Rain fell on Oslo."),
        ("ArrowDown", "Oslo counted 12 hurt."),
        ("ArrowDown", "Snow fell on Oslo."),
        ("ArrowUp", "Oslo counted 12 hurt."),
    ):
        page.keyboard.press(f"Alt+{key}")
        expect(page.locator("mark.active").last).to_be_visible()
        page.wait_for_function(
            "words => [...document.querySelectorAll('mark.active')].map(m => m.textContent).join('').includes(words)",
            arg=words,
        )
        assert marked(page).strip() == words
        top = page.locator("mark.active").first.bounding_box()["y"]
        assert 0 < top < 800
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"  # the next question can be typed at once
    page.locator(".chip").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#evidence .bar h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".chip").first).to_be_focused()


def test_passages_that_were_not_cited_open_too(page):
    ask(page, "Was Mary there?")
    page.locator(".consulted summary").click()
    page.locator(".consulted .passage").click()
    expect(page.locator("#evidence .bar")).to_contain_text("Passage 2")
    assert marked(page).startswith("Snow fell on Oslo.")
    ask(page, "Was Zoe there?")
    page.locator(".declined .passage").first.click()
    expect(page.locator("#evidence .paper h3")).to_have_text("Title of rain")


def test_find_in_the_article_counts_and_steps(page):
    ask(page, "Was Mary there?")
    page.locator(".chip").first.click()
    field = page.get_by_role("searchbox", name="Find in this article")
    field.fill("weather  in")
    expect(page.locator("#evidence .found")).to_have_text("1 of 40")
    field.press("Shift+Enter")
    expect(page.locator("#evidence .found")).to_have_text("40 of 40")
    assert page.evaluate("[...CSS.highlights.get('byline-here')][0].toString()") == "weather in"
    assert page.evaluate("document.querySelector('#evidence .scroll').scrollTop") > 500
    field.fill("zebra")
    expect(page.locator("#evidence .found")).to_have_text("not found")
    field.press("Escape")
    expect(field).to_have_value("")


def test_asking_about_one_article_searches_nothing_else(page):
    ask(page, "Who is in Oslo?")
    page.locator(".chip").last.click()
    page.get_by_role("button", name="Ask about this article").click()
    expect(page.locator("#searching summary")).to_have_text("Searching only “Title of snow”")
    ask(page, "What of Oslo?")
    last = page.locator(".turn").last
    expect(last).to_contain_text("Asked only of “Title of snow”")
    assert set(last.locator(".chip bdi").all_inner_texts()) == {"The Weekly · Title of snow"}
    page.get_by_role("button", name="Search all articles").click()
    expect(page.locator("#searching summary")).to_have_text("Searching all articles")


def test_filters_that_fit_nothing_are_refused_in_one_sentence(page):
    page.locator("#searching summary").click()
    page.get_by_label("From").fill("2025-05-06")
    expect(page.locator("#searching summary")).to_have_text("Searching only since 6 May 2025")
    page.get_by_label("To", exact=True).fill("2025-05-01")
    expect(page.locator("#notice")).to_contain_text("No article can be from 2025-05-06 or later and from 2025-05-01")


def test_edited_question_replaces_its_turn_and_can_be_left_alone(page):
    ask(page, "Was Mary there?")
    ask(page, "Was Snow there?")
    page.locator(".turn").first.get_by_role("button", name="Edit question").click()
    box = page.get_by_role("textbox", name="Question")
    expect(box).to_have_value("Was Mary there?")
    page.get_by_role("button", name="Leave it as it is").click()
    expect(box).to_have_value("")
    page.locator(".turn").last.get_by_role("button", name="Edit question").click()
    expect(box).to_have_value("Was Snow there?")
    box.fill("Was Rain there?")
    box.press("Enter")
    expect(page.locator(".turn .question")).to_have_text(["Was Mary there?", "Was Rain there?"])
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn[aria-busy=false] .question")).to_have_text(["Was Mary there?", "Was Rain there?"])


def test_copy_takes_the_answer_with_its_sources(page, address):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    ask(page, "Was Mary there?")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    assert copied == (
        "Was Mary there?\n\nMary Lee, the mayor, saw it. [1]\n\n"
        "[1] Title of rain, The Daily\n    “Mary Lee, the mayor, saw it.”"
    )


def take(page: Page, form: str, folder: Path) -> Path:
    page.locator(".packs summary").last.click()
    with page.expect_download() as taken:
        page.locator(f".pack[data-form={form}]").last.click()
    page.locator(".packs summary").last.click()
    path = folder / taken.value.suggested_filename
    taken.value.save_as(path)
    return path


def test_evidence_pack_opens_alone_and_checks_itself(page, browser, tmp_path):
    ask(page, "What of Oslo?")
    path = take(page, "html", tmp_path)
    assert path.name == "byline-what-of-oslo.html"
    requested = []
    opened = browser.new_page(offline=True)
    opened.on("request", lambda request: requested.append(request.url))
    opened.goto(path.as_uri())
    expect(opened.locator("#check.good")).to_have_text(
        "Checked: All 4 quotes stand in the text at the place named, and the text has the hash that was written down."
    )
    assert requested == [path.as_uri()]
    forged = path.with_name("forged.html")
    forged.write_text(path.read_text().replace("12 hurt", "13 hurt"))
    opened.goto(forged.as_uri())
    expect(opened.locator("#check.bad")).to_contain_text("is not the one that was read")
    forged.write_text(path.read_text().replace("12 hurt.</mark>", "13 hurt.</mark>"))
    opened.goto(forged.as_uri())
    expect(opened.locator("#check.bad")).to_contain_text("Quote 2 is not the one shown.")
    opened.close()
    pack = json.loads(take(page, "json", tmp_path).read_text())
    assert check_pack(pack) == [] and len(pack["answer"]["citations"]) == 4
    assert take(page, "md", tmp_path).read_text().startswith("# What of Oslo?")


def test_inspector_shows_what_was_read_and_why(page):
    page.get_by_role("tab", name="Inspector").click()
    expect(page.locator("#inspector")).to_contain_text("Ask a question")
    page.get_by_role("tab", name="Ask").click()
    ask(page, "Was Mary there?")
    page.get_by_role("tab", name="Inspector").click()
    rows = page.locator(".candidates tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Cited as [1].")
    expect(rows.nth(1)).to_contain_text("Not used")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_any_view(browser, address, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("#chat section")
    assert violations(page) == []
    ask(page, "Do they disagree about Oslo?")
    for summary in page.locator("#chat-column summary").all():
        summary.click()
    assert violations(page) == []
    page.locator(".chip").first.click()
    page.wait_for_selector("mark.active")
    assert violations(page) == []
    page.keyboard.press("Escape")
    ask(page, "Was Zoe there?")
    assert violations(page) == []
    for name, part in (("Library", ".articles"), ("Inspector", ".candidates"), ("Settings", ".settings")):
        page.get_by_role("tab", name=name).click()
        page.wait_for_selector(part)
        assert violations(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert violations(page) == ["image-alt"]  # it does look
    page.close()


def violations(page: Page) -> list[str]:
    page.wait_for_timeout(500)  # colours fade in
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    return [found["id"] for found in axe.Axe().run(page).response["violations"]]


def test_page_is_whole_at_twice_the_text_size(page):
    page.set_viewport_size({"width": 640, "height": 400})  # what 200 % zoom leaves of 1280 by 800
    ask(page, "Do they disagree about Oslo?")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".chip").first.click()
    expect(page.locator("mark.active").first).to_be_visible()
    page.keyboard.press("Escape")
    box = page.get_by_role("textbox", name="Question").bounding_box()
    assert box["y"] + box["height"] <= 400
    assert page.locator("#chat").bounding_box()["height"] > 100


def test_nothing_moves_for_those_who_ask_for_that(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address)
    ask(page, "Was Mary there?")
    page.locator(".chip").first.click()
    page.wait_for_selector("mark.active")
    moving = "document.getAnimations().filter(a => a.effect.getComputedTiming().activeDuration > 10).length"
    assert page.evaluate(moving) == 0
    page.close()


def test_a_slow_answer_can_be_stopped_and_asked_again(browser, tmp_path):
    gate = threading.Event()

    class Slow(FakeByline):
        def _events(self, question, filters):
            for event in super()._events(question, filters):
                yield event
                if event.kind == "hits":
                    gate.wait(timeout=20)

    with serving_here(Slow(tmp_path, RAIN, SNOW)) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#chat section")
        box = page.get_by_role("textbox", name="Question")
        box.fill("Was Mary there?")
        box.press("Enter")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".turn .answer")).to_contain_text("Stopped.")
        gate.set()
        page.wait_for_timeout(1000)
        expect(page.locator(".turn .answer")).to_contain_text("Stopped.")  # what came too late is not shown
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".turn .statement")).to_contain_text("Mary Lee", timeout=20_000)
        expect(page.locator(".turn")).to_have_count(1)
        page.close()


def test_a_question_refused_is_kept_and_asked_when_there_is_room(browser, tmp_path):
    gate, begun = threading.Event(), threading.Event()

    def occupy():
        begun.set()
        assert gate.wait(60)

    byline = FakeByline(tmp_path, RAIN, SNOW)
    service = Service(byline, limits=Limits(workers=1, queue=0, per_client=9))
    with serving_here(byline, service) as address:
        running = service.pool.submit("another", occupy)
        assert begun.wait(30)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#chat section")
        box = page.get_by_role("textbox", name="Question")
        box.fill("Was Mary there?")
        box.press("Enter")
        expect(page.get_by_role("alert")).to_have_text(re.compile(r"^Byline is busy: try again in \d+ s\.$"))
        expect(box).to_have_value("Was Mary there?")
        expect(page.locator(".turn")).to_have_count(0)
        gate.set()
        running.result(30)
        box.press("Enter")
        expect(page.locator(".turn .statement")).to_contain_text("Mary Lee", timeout=20_000)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.close()


def test_article_of_the_library_becomes_the_only_one_asked(page):
    page.get_by_role("tab", name="Library").click()
    page.get_by_role("button", name="Ask about Title of snow").click()
    expect(page.get_by_role("textbox", name="Question")).to_be_focused()
    expect(page.locator("#searching summary")).to_have_text("Searching only “Title of snow”")
    ask(page, "What of Oslo?")
    assert set(page.locator(".chip bdi").all_inner_texts()) == {"The Weekly · Title of snow"}
