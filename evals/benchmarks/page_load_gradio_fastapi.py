"""The page under load, by hand: `python -m evals.benchmarks.page_load_gradio_fastapi`.

A server in a process of its own, from the bundled articles; 50 visitors, each with a session and a cookie of its own,
put 3 questions each into the page's box, one after the other, over Gradio's own queue (`page_client_httpx.py`). An
answer takes S seconds (`--pretend`) of waiting instead of reading, which measures the page and not the reader. The
reference in the same run is a bare page of Gradio in the same process, which waits as long in as many places as the
pool has and shows the same HTML.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from evals.benchmarks.page_client_httpx import PageVisitor, find_box
from evals.benchmarks.served import (
    BARE,
    OPEN_FILES,
    QUESTIONS,
    USERS,
    Served,
    allow_files,
    cpu_s,
    serve_app,
    serving,
    spread,
)

WITHIN_S = 60.0  # one answer behind all the others
EXPECTED = "Kabas"  # in every answer that is shown: all questions get that of the first one


def serve(folder: str, pretend_s: float, workers: int) -> None:
    """Serve the page over the library in `folder` until the process is ended; print the port."""
    from fastapi import FastAPI

    import qa
    from corpus.load import bundled_articles
    from qa.service import make_service
    from qa.settings import Settings
    from qa.types import StreamEvent
    from qa.views.guard import Guard
    from qa.views.import_gradio import import_gradio

    gr = import_gradio()
    from qa.views.page import STYLES, build_page

    with qa.open(folder, settings=Settings(workers=workers)) as byline:
        byline.add(bundled_articles())
        *first, last = byline.stream(QUESTIONS[0])

        class PretendingAsker:
            def stream(self, question: str, **options: object) -> Iterator[StreamEvent]:
                yield first[0]
                time.sleep(pretend_s)
                yield from (*first[1:], last)

        byline.asker = lambda choice: PretendingAsker()  # type: ignore[method-assign, assignment, misc]

        async def mounted() -> None:
            app = FastAPI()
            html = last.answer.to_dict()["answer"] if last.answer else ""
            gr.mount_gradio_app(app, _bare(gr, str(html), pretend_s, workers), path=BARE)
            page = build_page(make_service(byline, Settings(workers=workers)))
            gr.mount_gradio_app(app, page, path="/", css_paths=STYLES, run_history=False, ssr_mode=False)
            await serve_app(Guard(app))

        asyncio.run(mounted())


def _bare(gr: Any, html: str, pretend_s: float, places: int) -> Any:  # noqa: ANN401 - Gradio is imported late
    free = asyncio.Semaphore(places)

    async def answer(question: str) -> AsyncIterator[str]:
        yield "…"
        async with free:
            await asyncio.sleep(pretend_s)
        yield html

    page = gr.Blocks(analytics_enabled=False)
    with page:
        box, shown = gr.Textbox(), gr.HTML()
        box.submit(answer, [box], [shown], concurrency_limit=None)
    page.max_threads = USERS * 4  # slots, of which its own number of 40 would let ten users wait
    page.queue()
    return page


async def measure_users(server: Served, path: str) -> dict[str, object]:
    """Fifty visitors at once, three questions each; an error is a reply without the answer, or none.

    Args:
        server: Its processor time is read; that of the clients is told beside it.
        path: Of the page.
    """
    seconds: list[float] = []
    tally: Counter[str] = Counter()

    async def use(visitor: PageVisitor) -> None:
        for question in QUESTIONS:
            started = time.perf_counter()
            shown = await visitor.ask(question)
            seconds.append(time.perf_counter() - started)
            tally["answered" if EXPECTED in json.dumps(shown) else "not answered"] += 1

    bounds = httpx.Limits(max_connections=2 * USERS)
    url = server.base_url + path
    async with httpx.AsyncClient(base_url=url, limits=bounds, timeout=WITHIN_S, trust_env=False) as client:
        box = await find_box(client)
        visitors = [PageVisitor(client, box) for _ in range(USERS)]
        started, served, used = time.perf_counter(), cpu_s(server.pid), time.process_time()
        for outcome in await asyncio.gather(*map(use, visitors), return_exceptions=True):
            if isinstance(outcome, BaseException):
                tally[type(outcome).__name__] += 1
        wall = time.perf_counter() - started
        cpu_ms = {"server": cpu_s(server.pid) - served, "clients": time.process_time() - used}
    return {
        "answers_per_s": round(len(seconds) / wall, 1),
        **spread(sorted(seconds)),
        "cpu_ms_an_answer": {name: round(taken * 1000 / len(seconds), 1) for name, taken in cpu_ms.items()},
        "replies": dict(tally),
    }


def main() -> None:
    """Start the server, ask it, print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--pretend", type=float, default=0.2, metavar="S", help="answers take S seconds of waiting")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--serve", metavar="DIR", help=argparse.SUPPRESS)
    given = parser.parse_args()
    allow_files(OPEN_FILES)
    if given.serve:
        serve(given.serve, given.pretend, given.workers)
        return
    options = ["--pretend", str(given.pretend), "--workers", str(given.workers)]
    with serving("evals.benchmarks.page_load_gradio_fastapi", *options) as server:
        for name, path in (("bare", BARE), ("page", "")):
            print(json.dumps({name: asyncio.run(measure_users(server, path))}), flush=True)  # noqa: T201
        print(json.dumps({"load": os.getloadavg()}))  # noqa: T201


if __name__ == "__main__":
    main()
