"""The page in a real Chromium: asking, the highlighted sentence, uploads, hostile articles, nothing to the outside."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect  # noqa: E402

from qa.keep import read_cases  # noqa: E402
from tests.browser_page import CHROMIUM, chromium  # noqa: E402
from tests.page_process import serving  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]

QUESTION = "How much compensation does Rwanda want from the UK?"
HOSTILE = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "<svg onload='window.ran = 1'></svg>",
    "<a href='javascript:window.ran = 1'>Click</a>",
    "${window.ran = 1} {{window.ran}} `",
    "![pixel](http://192.0.2.1/pixel.png)",
    "[click](javascript:window.ran=1)",
    "<style>@import 'http://192.0.2.1/x.css'</style>",
    "</textarea></script><iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "\u202egnihton\u202c",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("library")


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
    """Open the page; afterwards see that it asked nobody else for anything and that no script of it failed."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    requested, errors = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#chat section")
    yield page
    page.close()
    assert not errors
    hosts = {urlsplit(url).netloc for url in requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(address).netloc}


def ask(page: Page, question: str) -> None:
    n_turns = page.locator(".turn").count()
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(n_turns + 1, timeout=30_000)


def open_library(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#library .count")).to_be_visible()


def upload(page: Page, *files: tuple[str, str]) -> None:
    page.locator("#upload input[type=file]").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in files]
    )
    expect(page.locator("#outcomes li")).to_have_count(len(files), timeout=30_000)


def remove(page: Page, title: str) -> None:
    row = page.locator("table.articles tr", has_text=title)
    row.get_by_role("button", name=f"Remove {title}").click()
    row.get_by_role("button", name="Yes, remove").click()
    expect(row).to_have_count(0)


def marked_text(page: Page) -> str:
    return "".join(page.locator("mark.active").all_inner_texts())


def assert_in_view(page: Page, selector: str) -> None:
    """The element lies within the window and nothing lies over it."""
    assert page.evaluate(
        """selector => {
            const box = document.querySelector(selector).getClientRects()[0];
            const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
            const seen = document.elementFromPoint(x, y);
            return box.top >= 0 && box.bottom <= innerHeight && seen !== null && seen.closest(selector) !== null;
        }""",
        selector,
    )


def assert_nothing_sticks_out(page: Page) -> None:
    """Nothing has to be scrolled to sideways, and nothing is cut off where it cannot be scrolled to."""
    sticking_out = page.evaluate(
        """() => [...document.querySelectorAll('#chat *, #evidence *, #question *')]
            .filter(part => part.getBoundingClientRect().right > innerWidth + 0.5).map(part => part.outerHTML)"""
    )
    assert sticking_out == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_greeting_is_answered_calmly_and_invites_questions(page):
    ask(page, "Hello!")
    expect(page.locator(".turn .declined")).to_have_text(re.compile("^Byline answers only from the 2 articles"))
    expect(page.locator(".turn .passages")).to_have_count(0)
    suggested = page.locator("#suggested .example")
    expect(suggested.first).to_be_visible(timeout=30_000)
    suggested.first.click()
    expect(page.locator(".turn[aria-busy=false] .chip").first).to_be_visible(timeout=30_000)


def test_citation_opens_the_article_at_the_right_sentence(page):
    ask(page, QUESTION)
    statement = page.locator(".turn .statement").first
    chip = statement.locator(".chip").first
    sentence = statement.inner_text().removesuffix(chip.inner_text()).strip()
    chip.click()
    expect(page.locator("mark.active").first).to_be_visible()
    assert marked_text(page) == sentence
    assert "£50 million" in sentence
    assert_in_view(page, "mark.active")
    expect(page.locator("#evidence h3")).to_contain_text("Rwanda says talks")


def test_citation_opens_by_keyboard_and_as_a_sheet_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    ask(page, QUESTION)
    assert_nothing_sticks_out(page)
    chip = page.locator(".chip").first
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#evidence-column")).to_have_attribute("role", "dialog")
    page.wait_for_timeout(400)  # the sheet slides in
    assert_in_view(page, "mark.active")
    assert_nothing_sticks_out(page)
    page.keyboard.press("Escape")
    expect(page.locator("#evidence-column")).to_be_hidden()
    expect(chip).to_be_focused()


def test_answer_is_kept_as_a_case_by_keyboard(page, library):
    ask(page, QUESTION)
    last = page.locator(".turn").last
    last.get_by_role("button", name="Right").focus()
    page.keyboard.press("Enter")
    expect(last.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
    expect(last.get_by_role("button", name="Right")).to_be_focused()
    assert [(case["question"], case["verdict"]) for case in read_cases(library)] == [(QUESTION, "right")]
    last.get_by_role("button", name="Wrong").click()
    expect(last.get_by_role("button", name="Wrong")).to_have_attribute("aria-pressed", "true")
    assert [(case["question"], case["verdict"]) for case in read_cases(library)] == [(QUESTION, "wrong")]
    assert_nothing_sticks_out(page)


def test_example_is_asked_when_it_is_chosen(page):
    page.locator(".example").last.click()
    expect(page.locator(".turn .declined")).to_contain_text("The articles do not say.", timeout=30_000)
    expect(page.locator(".turn .declined")).to_contain_text("Searched:")
    expect(page.locator(".turn .declined li")).not_to_have_count(0)


def test_questions_that_cannot_be_asked_get_one_sentence(page):
    box = page.get_by_role("textbox", name="Question")
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("The question is empty.")
    box.fill("why " * 2000)
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("at most 4,000")
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, QUESTION)
    expect(page.locator("#notice")).to_have_text("")


def test_upload_is_listed_cited_and_gone_after_removal(page):
    open_library(page)
    before = page.locator("#library .count").inner_text()
    text = "The harbour of Trelleborg was closed on Monday. Ebba Quist, the harbour master, ordered it."
    upload(page, ("harbour-closed.txt", text), ("photo.png", "\x89PNG\r\n\x1a\n\x00"))
    expect(page.locator("#outcomes li.done")).to_contain_text("harbour-closed.txt added")
    expect(page.locator("#outcomes li.failed")).to_contain_text("photo.png")
    row = page.locator("table.articles tr", has_text="harbour-closed.txt")
    title = row.locator("th").inner_text()

    page.get_by_role("tab", name="Ask").click()
    ask(page, "Who is the harbour master of Trelleborg?")
    page.locator(".chip").first.click()
    expect(page.locator("mark.active").first).to_be_visible()
    assert "Ebba Quist" in marked_text(page)

    open_library(page)
    remove(page, title)
    expect(page.locator("#library .count")).to_have_text(before)
    page.get_by_role("tab", name="Ask").click()
    page.locator(".chip").first.click()
    expect(page.locator("#evidence .notice")).to_contain_text("has been removed")
    expect(page.locator("mark")).to_have_count(0)
    ask(page, "Who is the harbour master of Trelleborg?")
    expect(page.locator(".turn").last.locator(".answer")).not_to_contain_text("Ebba Quist")


def take_evidence_pack(page: Page, browser) -> None:
    """Open the pack of the first answer, which holds the hostile article's text, in a page of its own."""
    page.locator(".packs summary").first.click()
    with page.expect_download() as taken:
        page.locator(".pack[data-form=html]").first.click()
    opened, requested = browser.new_page(), []
    opened.on("request", lambda request: requested.append(request.url))
    address = taken.value.path().with_suffix(".html")
    address.write_bytes(taken.value.path().read_bytes())
    opened.goto(address.as_uri())
    expect(opened.locator("#check.good")).to_be_visible()
    opened.locator("summary").first.click()
    opened.wait_for_timeout(300)
    assert opened.evaluate("window.ran") is None and requested == [address.as_uri()]
    opened.close()


def test_hostile_articles_stay_text(page, browser):
    open_library(page)
    row = {
        "id": "hostile",
        "title": HOSTILE[0] + HOSTILE[1],
        "source": HOSTILE[1],
        "url": "javascript:window.ran=1",
        "text": f"The mayor of Zyx is Ana Pim {' '.join(HOSTILE)}.",
    }
    upload(page, ("<img src=x onerror='window.ran=1'>.jsonl", json.dumps(row)))
    expect(page.locator("table.articles")).to_contain_text(HOSTILE[0])
    expect(page.locator("table.articles th a", has_text="onerror")).to_have_count(0)
    page.get_by_role("tab", name="Ask").click()
    ask(page, f"Who is the mayor of Zyx? {HOSTILE[1]}")
    page.locator(".chip").first.click()
    expect(page.locator("#evidence")).to_contain_text(HOSTILE[3])
    expect(page.locator("#evidence")).to_contain_text(HOSTILE[-2])
    assert "\u202e" not in page.locator("#evidence").inner_text() + page.locator("#chat").inner_text()
    page.locator(".chip").first.hover()
    page.locator(".consulted summary").first.click()
    page.get_by_role("button", name="Copy").first.click()
    take_evidence_pack(page, browser)
    page.get_by_role("tab", name="Inspector").click()
    expect(page.locator(".candidates")).to_contain_text(HOSTILE[0])
    page.wait_for_timeout(500)  # long enough for an image to fail and its handler to run
    assert page.evaluate("window.ran") is None
    parts = ("chat", "evidence", "searching", "suggested", "inspector", "quote-card")
    for made in ("script", "img", "iframe", "style", "[onerror]", "[onload]", "a[href^=javascript]"):
        assert page.locator(", ".join(f"#{part} {made}" for part in parts)).count() == 0
    open_library(page)
    page.locator("table.articles tr", has_text="window.ran").get_by_role("button", name=re.compile("^Remove")).click()
    page.locator("table.articles .yes:visible").click()
    expect(page.locator("table.articles tr", has_text="window.ran")).to_have_count(0)


def test_turns_keep_their_own_citations(page):
    ask(page, QUESTION)
    ask(page, "Which journalist uncovered the deportation of an Iraqi man to Rwanda?")
    for turn, words in ((0, "£50 million"), (1, "Marisa Kabas"), (0, "£50 million")):
        page.locator(f".turn[data-turn='{turn}'] .chip").first.click()
        expect(page.locator("#evidence .bar")).to_have_attribute("data-turn", str(turn))
        assert words in marked_text(page)
        assert_in_view(page, "mark.active")


def test_visitors_do_not_see_each_other(page, browser, address):
    ask(page, QUESTION)
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector("#chat section")
    expect(other.locator(".turn")).to_have_count(0)
    ask(other, "What is the capital of Australia?")
    other.close()
    expect(page.locator(".turn")).to_have_count(1)
    page.locator(".chip").first.click()
    expect(page.locator("mark.active").first).to_be_visible()


def test_suggested_questions_are_answered(page):
    ask(page, "Which journalist uncovered the deportation of an Iraqi man to Rwanda?")
    first = page.locator(".suggested .example").first
    expect(first).to_be_visible(timeout=120_000)
    assert 1 <= page.locator(".suggested .example").count() <= 3
    question = first.inner_text()
    first.click()
    expect(page.locator(".turn[aria-busy=false]")).to_have_count(2, timeout=60_000)
    last = page.locator(".turn").last
    expect(last.locator(".question")).to_have_text(question)
    expect(last.locator(".statement .chip").first).to_be_visible()


def test_library_is_checked_from_the_page(page):
    open_library(page)
    page.locator(".health summary").click()
    page.get_by_role("button", name="Check the library").click()
    expect(page.locator(".health li.well")).to_have_count(4, timeout=60_000)
    expect(page.get_by_role("button", name="Repair")).to_have_count(0)
