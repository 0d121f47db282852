"""Chats in a real Chromium: they outlive reload and restart, belong to one browser, say what became of sources."""

import json
import re
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect  # noqa: E402

from corpus.load import bundled_articles, load_sources  # noqa: E402
from tests.browser_page import CHROMIUM, chromium  # noqa: E402
from tests.fakes_library import WaitingReader, make_read_only, open_fake  # noqa: E402
from tests.page_process import serving  # noqa: E402
from tests.page_thread import serving_here  # noqa: E402
from tests.test_browser import ask, marked_text, open_library, remove, upload  # noqa: E402
from tests.test_browser_answers import violations  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]

QUESTION = "How much compensation does Rwanda want from the UK?"
OTHER = "Which journalist uncovered the deportation of an Iraqi man to Rwanda?"
HARBOUR = "The harbour of Trelleborg was closed on Monday. Ebba Quist, the harbour master, ordered it."
WHO = "Who is the harbour master of Trelleborg?"
expect.set_options(timeout=20_000)  # a page loaded anew behind another is given little time by the browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("library")) as address:
        yield address


@pytest.fixture
def visitor(browser) -> Iterator[BrowserContext]:
    """A browser that never saw the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(visitor, address) -> Page:
    return opened(visitor, address)


def opened(visitor: BrowserContext, address: str) -> Page:
    page = visitor.new_page()
    page.goto(address)
    page.wait_for_selector("#chat section")
    page.wait_for_selector("#current .current", state="attached")  # the server has said which chat it is
    return page


def reloaded(page: Page) -> Page:
    page.reload()
    page.wait_for_selector("#current .current", state="attached")
    return page


def open_chats(page: Page) -> Locator:
    """Return the rows of the list."""
    page.get_by_role("tab", name="Chats").click()
    page.wait_for_selector("#chats :is(section, .count)")
    return page.locator("#chats li")


def kept(page: Page) -> None:
    """Wait until the library has the chat: the bar names it then."""
    expect(page.locator("#current .current")).to_have_attribute("data-chat", re.compile("^[0-9a-f]{16}$"))


def titles(rows: Locator) -> list[str]:
    return [text.split("\n")[0] for text in rows.all_inner_texts()]


def test_a_chat_is_there_after_a_reload_with_a_working_citation(page):
    ask(page, QUESTION)
    answer = page.locator(".turn .answer").inner_text()
    reloaded(page)  # at once: nothing waits for the library
    expect(page.locator(".turn")).to_have_count(1)
    assert page.locator(".turn .answer").inner_text() == answer
    page.locator(".chip").first.click()
    expect(page.locator("mark.active").first).to_be_visible()
    assert "£50 million" in marked_text(page)
    page.get_by_role("tab", name="Inspector").click()
    expect(page.locator(".candidates")).to_be_visible()
    page.get_by_role("tab", name="Ask").click()
    ask(page, "And who ended the plan?")
    expect(page.locator(".turn").last).to_contain_text("Read as:")
    expect(page.locator(".turn").last).to_contain_text("Keir Starmer")
    expect(page.locator(".turn")).to_have_count(2)
    assert open_chats(page).count() == 1


def test_a_chat_is_there_after_a_reload_whatever_the_server_answers_last(page):
    ask(page, QUESTION)
    kept(page)
    held: dict[str, Route] = {}

    def hold(route: Route) -> None:
        """Let the tab's own event be handled before the chat is resumed, and answered after it."""
        told = route.request.post_data_json.get("event_data") or {}
        kind = "resume" if "chat" in told else "select" if told.get("value") == "Ask" else ""
        if not kind or kind in held:
            route.continue_()
            return
        held[kind] = route
        if len(held) == 2:
            selected = held["select"].fetch()
            held["resume"].fulfill(response=held["resume"].fetch())
            page.wait_for_selector(".turn")
            held["select"].fulfill(response=selected)

    page.route("**/gradio_api/run/predict", hold)
    with page.expect_response(lambda response: '"value":"Ask"' in (response.request.post_data or "")):
        reloaded(page)
    page.wait_for_timeout(300)  # it is drawn
    assert page.locator(".turn .question").all_inner_texts() == [QUESTION]


def test_a_chat_outlives_the_process(browser, visitor, tmp_path):
    with serving(tmp_path) as address:
        page = opened(visitor, address)
        ask(page, QUESTION)
        kept(page)
        page.close()
    with serving(tmp_path) as address:  # maybe at another port
        page = opened(visitor, address)
        expect(page.locator(".turn .question")).to_have_text([QUESTION])
        page.locator(".chip").first.click()
        expect(page.locator("mark.active").first).to_be_visible()
        assert "£50 million" in marked_text(page)
        stranger = browser.new_context()
        other = opened(stranger, address)
        expect(other.locator(".turn")).to_have_count(0)
        stranger.close()
        page.close()


def test_visitors_never_see_each_others_chats(browser, visitor, address, page):
    ask(page, QUESTION)
    kept(page)
    chat_id = page.locator("#current .current").get_attribute("data-chat")
    stranger = browser.new_context()
    other = opened(stranger, address)
    ask(other, OTHER)
    kept(other)
    other.evaluate("id => sessionStorage.setItem('byline-chat', id)", chat_id)  # an id is no key
    reloaded(other)
    expect(other.locator(".turn")).to_have_count(0)
    assert titles(open_chats(other)) == ["Which journalist uncovered the deportation of an Iraqi man…"]
    for attribute in (chat_id, "' OR 1=1 --", "x" * 100_000):  # nor does a row of the list reach another's chat
        other.evaluate("id => { document.querySelector('#chats li').dataset.id = id; }", attribute)
        other.locator("#chats .open").click()
        expect(other.locator("#chats-notice")).to_contain_text("no longer in the library")
    other.locator("#chats .delete").click()
    other.locator("#chats .yes").click()
    other.wait_for_timeout(500)
    stranger.close()
    reloaded(page)
    expect(page.locator(".turn .question")).to_have_text([QUESTION])
    assert titles(open_chats(page)) == [QUESTION]
    assert [cookie["httpOnly"] for cookie in visitor.cookies()] == [True]


def test_a_tab_keeps_its_own_chat(visitor, address, page):
    ask(page, QUESTION)
    kept(page)
    second = opened(visitor, address)
    expect(second.locator(".turn .question")).to_have_text([QUESTION])  # the one used last
    second.get_by_role("button", name="New chat").click()
    expect(second.locator(".welcome")).to_be_visible()
    expect(second.get_by_role("textbox", name="Question")).to_be_focused()
    reloaded(second)
    expect(second.locator(".turn")).to_have_count(0)
    ask(second, OTHER)
    kept(second)
    expect(reloaded(page).locator(".turn .question")).to_have_text([QUESTION])
    expect(reloaded(second).locator(".turn .question")).to_have_text([OTHER])


def test_chats_are_renamed_found_exported_resumed_and_deleted_by_keyboard(page, tmp_path):
    ask(page, QUESTION)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, OTHER)
    kept(page)
    rows = open_chats(page)
    assert [title[:9] for title in titles(rows)] == ["Which jou", "How much "]
    expect(rows.nth(1).locator(".facts")).to_contain_text("1 question")

    rows.nth(1).get_by_role("button", name="Rename").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("The <b>price</b>")
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator(".open")).to_have_text("The <b>price</b>")
    expect(rows.nth(1).get_by_role("button", name="Rename")).to_be_focused()

    page.get_by_role("textbox", name="Find").fill("£50 PRICE")
    expect(rows).to_have_count(1)
    with page.expect_download() as taken:
        rows.first.get_by_role("button", name="Export").click()
        rows.first.get_by_role("button", name="JSON").click()
    pack = json.loads(taken.value.path().read_text("utf-8"))
    assert taken.value.suggested_filename == "byline-the-b-price-b.json"
    assert (pack["title"], [turn["answer"]["question"] for turn in pack["turns"]]) == ("The <b>price</b>", [QUESTION])

    rows.first.locator(".open").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Ask")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".turn .question")).to_have_text([QUESTION])
    expect(page.locator("#current")).to_contain_text("The <b>price</b>")
    expect(page.get_by_role("textbox", name="Question")).to_be_focused()
    ask(page, "And who ended the plan?")
    expect(page.locator(".turn").last).to_contain_text("Keir Starmer")

    open_chats(page)
    page.get_by_role("textbox", name="Find").fill("")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(rows.first.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.first.get_by_role("button", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    rows.first.get_by_role("button", name="Yes, delete").press("Enter")
    expect(rows).to_have_count(1)
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator(".welcome")).to_be_visible()  # it was the one shown
    expect(reloaded(page).locator(".turn")).to_have_count(0)


def test_asking_again_and_editing_keep_what_was_there(page):
    ask(page, QUESTION)
    page.get_by_role("button", name="Edit question").click()
    box = page.get_by_role("textbox", name="Question")
    box.fill(OTHER)
    box.press("Enter")
    expect(page.locator(".branches")).to_contain_text("2 of 2", timeout=30_000)
    expect(page.locator(".turn .question")).to_have_text([OTHER])
    page.get_by_role("button", name="Former version").press("Enter")
    expect(page.locator(".turn .question")).to_have_text([QUESTION])
    expect(page.locator(".branches")).to_contain_text("1 of 2")
    expect(page.get_by_role("button", name="Later version")).to_be_focused()  # the other one leads nowhere now
    ask(page, "And who ended the plan?")
    reloaded(page)
    expect(page.locator(".turn .question")).to_have_text([QUESTION, "And who ended the plan?"])
    page.get_by_role("button", name="Later version").click()
    expect(page.locator(".turn .question")).to_have_text([OTHER])


def test_sources_that_changed_or_went_are_said_so(page):
    open_library(page)
    upload(page, ("harbour.txt", HARBOUR))
    page.get_by_role("tab", name="Ask").click()
    ask(page, WHO)
    expect(page.locator(".turn")).to_contain_text("Ebba Quist")
    open_library(page)
    upload(page, ("harbour.txt", HARBOUR.replace("Ebba Quist", "Olof Berg")))
    page.get_by_role("tab", name="Ask").click()
    page.locator(".chip").first.click()
    expect(page.locator("#evidence .change del")).to_have_text("Ebba Quist,")  # before the reload, too

    reloaded(page)
    expect(page.locator(".since")).to_contain_text("1 of its sources has changed")
    expect(page.locator(".turn .chip.stale")).to_contain_text("source changed")
    assert violations(page) == []
    page.locator(".chip.stale").click()
    expect(page.locator("#evidence .notice")).to_contain_text("has changed since the question was answered")
    expect(page.locator("#evidence .change del")).to_have_text("Ebba Quist,")
    expect(page.locator("#evidence .change ins")).to_have_text("Olof Berg,")
    assert "Olof Berg" in marked_text(page)
    assert violations(page) == []

    open_library(page)
    remove(page, page.locator("table.articles tr", has_text="harbour").locator("th").inner_text())
    reloaded(page)
    expect(page.locator(".since")).to_contain_text("1 of its sources has been removed")
    assert "Ebba Quist" not in page.content()
    page.locator(".chip.stale").click()
    expect(page.locator("#evidence .notice")).to_contain_text("has been removed from the library")
    expect(page.locator("mark")).to_have_count(0)
    ask(page, QUESTION)  # the chat goes on
    expect(page.locator(".turn").last).to_contain_text("£50 million")


def test_a_browser_without_cookies_is_answered_and_told(browser, address):
    context = browser.new_context()
    page = opened(context, address)
    context.clear_cookies()
    ask(page, QUESTION)
    expect(page.locator("#notice")).to_contain_text("This chat is not kept, because the browser sent no cookie")
    expect(page.locator(".turn")).to_contain_text("£50 million")
    open_chats(page)
    expect(page.locator("#chats")).to_contain_text("Allow cookies")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_the_chats(browser, address, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = opened(context, address)
    rows = open_chats(page)
    expect(page.locator("#chats")).to_contain_text("Every question you ask is kept here")
    assert violations(page) == []
    page.get_by_role("tab", name="Ask").click()
    ask(page, QUESTION)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".branches")).to_contain_text("2 of 2", timeout=30_000)
    assert violations(page) == []
    open_chats(page)
    expect(rows).to_have_count(1)
    for name in ("Rename", "Export", "Delete"):
        rows.first.get_by_role("button", name=name).click()
        assert violations(page) == []
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_an_answer_is_shown_when_the_library_cannot_be_written(browser, tmp_path, monkeypatch):
    with open_fake(tmp_path, *load_sources([bundled_articles()])) as byline:
        make_read_only(byline.index.library.file, monkeypatch)
        with serving_here(byline) as address:
            context = browser.new_context()
            page = opened(context, address)
            ask(page, QUESTION)
            expect(page.locator(".turn .statement")).to_be_visible()
            expect(page.locator("#notice")).to_contain_text("This chat is not kept, because the library cannot be")
            context.close()


def test_an_answer_on_its_way_does_not_come_into_another_chat(browser, tmp_path):
    gate = threading.Event()
    gate.set()
    articles = load_sources([bundled_articles()])
    with open_fake(tmp_path, *articles, reader=WaitingReader(gate)) as byline, serving_here(byline) as address:
        context = browser.new_context()
        page = opened(context, address)
        ask(page, QUESTION)
        kept(page)
        page.wait_for_timeout(1000)  # what is suggested is answered, too
        gate.clear()
        page.get_by_role("textbox", name="Question").fill(OTHER)
        page.keyboard.press("Enter")
        expect(page.locator(".progress")).to_be_visible()
        page.get_by_role("button", name="New chat").click()
        expect(page.locator(".welcome")).to_be_visible()
        gate.set()
        page.wait_for_timeout(1000)
        expect(page.locator(".turn")).to_have_count(0)
        assert titles(open_chats(page)) == [QUESTION]
        context.close()
