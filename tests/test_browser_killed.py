"""The page in a real Chromium after its server was killed (kill -9) in the middle of questions."""

import threading
import time

import httpx
import pytest

pytest.importorskip("playwright")

from playwright.sync_api import expect  # noqa: E402

from index.doctor import check  # noqa: E402
from tests.browser_page import CHROMIUM, chromium  # noqa: E402
from tests.page_process import serving, start  # noqa: E402
from tests.test_browser import ask  # noqa: E402
from tests.test_browser_chats import OTHER, QUESTION, kept, open_chats, opened, titles  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]
BESIDE = 6  # other clients, whose questions are under way, too


def ask_without_end(address: str, ended: threading.Event) -> None:
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        while not ended.is_set():
            try:
                client.post("/v1/ask", json={"question": OTHER})
            except httpx.TransportError:
                return


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.5, 1.5])
def test_a_killed_server_starts_again_with_every_chat_that_was_kept(tmp_path, after_s):
    """Kill it so many seconds after a question was put; what comes after that may be kept or not."""
    ended = threading.Event()
    with chromium() as browser:
        visitor = browser.new_context()
        child, address = start(tmp_path)
        page = opened(visitor, address)
        ask(page, QUESTION)
        kept(page)
        answer = page.locator(".turn .answer .statement").all_inner_texts()
        beside = [threading.Thread(target=ask_without_end, args=[address, ended]) for _ in range(BESIDE)]
        for thread in beside:
            thread.start()
        page.get_by_role("textbox", name="Question").fill(OTHER)
        page.keyboard.press("Enter")
        expect(page.locator(".turn")).to_have_count(2)
        time.sleep(after_s)
        child.kill()
        child.communicate()
        ended.set()
        for thread in beside:
            thread.join()
        page.close()

        with serving(tmp_path) as address:
            page = opened(visitor, address)
            expect(page.locator(".turn .question").first).to_have_text(QUESTION)
            assert page.locator(".turn").first.locator(".statement").all_inner_texts() == answer
            assert titles(open_chats(page)) == [QUESTION]
            page.get_by_role("tab", name="Ask").click()
            ask(page, "Who ended the plan to deport people to Rwanda?")
            page.locator(".turn").last.locator(".chip").first.click()
            expect(page.locator("mark.active").first).to_be_visible()
            page.close()
    assert [finding for finding in check(tmp_path) if not finding.ok] == []
