"""Take pictures of every view of the page, wide and narrow, light and dark: `python tests/screenshots.py FOLDER`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page

from evals.__main__ import main as evals
from tests.browser_page import chromium
from tests.page_process import serving

README = {"answer": "evidence", "declined": "declined", "inspector": "inspector", "library": "library"}
COLOURS = 96  # what the README shows is text on paper: no eye sees the difference, and the file is half as large
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
ANSWERED = "Which journalist uncovered the deportation of an Iraqi man to Rwanda?"
FOLLOW_UP = "And when did Rwandan officials confirm it?"
DIFFERING = "Who is Donald Trump?"
GREETING = "Hello!"
DECLINED = "What is the capital of Australia?"


def take(browser: Browser, address: str, folder: Path) -> None:
    """Write one PNG for each view, size and colour scheme."""
    for scheme in ("light", "dark"):
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address)
            page.wait_for_selector("#chat .welcome")
            shoot(page, folder / f"empty-{name}-{scheme}.png")
            ask(page, ANSWERED)
            shoot(page, folder / f"answered-{name}-{scheme}.png")
            page.locator(".chip").first.hover()
            shoot(page, folder / f"quote-{name}-{scheme}.png")
            page.mouse.move(2, 2)
            page.locator(".chip").first.click()
            page.wait_for_selector("mark.active")
            shoot(page, folder / f"evidence-{name}-{scheme}.png")
            page.keyboard.press("Escape")
            for summary in page.locator("#chat-column summary").all():
                summary.click()
            shoot(page, folder / f"unfolded-{name}-{scheme}.png")
            for summary in page.locator("#chat-column summary").all():
                summary.click()
            page.get_by_role("tab", name="Inspector").click()
            page.wait_for_selector("table.candidates")
            shoot(page, folder / f"inspector-{name}-{scheme}.png")
            page.get_by_role("tab", name="Ask").click()
            ask(page, FOLLOW_UP)
            shoot(page, folder / f"follow-up-{name}-{scheme}.png")
            ask(page, DIFFERING)
            shoot(page, folder / f"differing-{name}-{scheme}.png")
            ask(page, DECLINED)
            shoot(page, folder / f"declined-{name}-{scheme}.png")
            ask(page, GREETING)
            shoot(page, folder / f"greeting-{name}-{scheme}.png")
            page.get_by_role("tab", name="Chats").click()
            page.wait_for_selector("#chats li")
            shoot(page, folder / f"chats-{name}-{scheme}.png")
            page.get_by_role("tab", name="Library").click()
            page.wait_for_selector("table.articles")
            shoot(page, folder / f"library-{name}-{scheme}.png")
            page.locator(".health summary").click()
            page.locator(".health .check").click()
            page.wait_for_selector(".health li")
            shoot(page, folder / f"health-{name}-{scheme}.png")
            page.get_by_role("tab", name="Evals").click()
            page.wait_for_selector(".evals:not([aria-busy=true])", timeout=90_000)
            shoot(page, folder / f"evals-{name}-{scheme}.png")
            page.get_by_role("tab", name="Settings").click()
            shoot(page, folder / f"settings-{name}-{scheme}.png")
            page.close()


def keep_runs(library: Path) -> None:
    """Keep two runs of a bundled suite, for the Evals tab to set against each other."""
    os.environ["BYLINE_LIBRARY"] = str(library)
    for chosen in (["--name", "balanced"], ["--name", "strict", "--set", "strictness=strict"]):
        if evals(["run", "first_answers", *chosen]):
            raise SystemExit("The suite could not be run, so there is nothing to show in the Evals tab.")


def ask(page: Page, question: str) -> None:
    """Ask and wait until the answer is finished."""
    n_turns = page.locator(".turn").count()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    page.wait_for_selector(f".turn >> nth={n_turns}")
    page.wait_for_selector(f".turn[aria-busy=false] >> nth={n_turns}")


def shoot(page: Page, path: Path) -> None:
    """Take one picture once nothing moves any more."""
    page.wait_for_timeout(400)
    page.screenshot(path=path)


def shrink(folder: Path, docs: Path) -> None:
    """Write the README's pictures, small, from those just taken."""
    from PIL import Image

    docs.mkdir(exist_ok=True)
    for name, view in README.items():
        with Image.open(folder / f"{view}-wide-light.png") as picture:
            picture.convert("RGB").quantize(COLOURS).save(docs / f"{name}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--address", help="a page that is running already; otherwise one is started over the sample")
    parser.add_argument("--readme", type=Path, metavar="DOCS", help="where the README's four pictures go, small")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        if chosen.address:
            take(browser, chosen.address, chosen.folder)
        else:
            with tempfile.TemporaryDirectory() as library:
                keep_runs(Path(library))
                with serving(Path(library)) as address:
                    take(browser, address, chosen.folder)
    if chosen.readme:
        shrink(chosen.folder, chosen.readme)


if __name__ == "__main__":
    main()
