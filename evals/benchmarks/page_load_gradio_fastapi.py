"""The page under load, by hand: `python -m evals.benchmarks.page_load_gradio_fastapi`.

A server in a process of its own, from the bundled articles; 50 clients, each the real `gradio_client` with a session of
its own, put 3 questions each into the page's box, one after the other. An answer takes S seconds (`--pretend`) of
waiting instead of reading, which measures the page and not the reader. The reference in the same run is a bare page of
Gradio in the same process, which waits as long in as many places as the pool has and shows the same HTML.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.benchmarks.http_load import OPEN_FILES, QUESTIONS, USERS, allow_files, spread

if TYPE_CHECKING:
    from gradio_client import Client  # type: ignore[import-untyped]

BARE = "/bare"
WITHIN_S = 60.0  # one answer behind all the others
EXPECTED = "Kabas"  # in every answer that is shown: all questions get that of the first one


def serve(folder: str, pretend_s: float, workers: int) -> None:
    """Serve the page over the library in `folder` until the process is ended; print the port."""
    import uvicorn
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

        def pretend(question: str, **options: object) -> Iterator[StreamEvent]:
            yield first[0]
            time.sleep(pretend_s)
            yield from (*first[1:], last)

        byline.stream = pretend  # type: ignore[method-assign]

        async def announced() -> None:
            app = FastAPI()
            html = last.answer.to_dict()["answer"] if last.answer else ""
            gr.mount_gradio_app(app, _bare(gr, str(html), pretend_s, workers), path=BARE)
            page = build_page(make_service(byline, Settings(workers=workers)))
            gr.mount_gradio_app(app, page, path="/", css_paths=STYLES, run_history=False, ssr_mode=False)
            server = uvicorn.Server(uvicorn.Config(Guard(app), port=0, log_level="error", ws="none"))
            task = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.02)
            print(server.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201
            await task

        asyncio.run(announced())


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


def measure_users(base_url: str, server: int) -> dict[str, object]:
    """Fifty clients at once, three questions each; an error is a reply without the answer, or none.

    Args:
        base_url: Of the page.
        server: Its process, whose processor time is read; that of the clients is told beside it.
    """
    from gradio_client import Client

    options: dict[str, Any] = {"verbose": False, "download_files": False, "analytics_enabled": False}
    clients = [Client(base_url, **options) for _ in range(USERS)]
    seconds: list[float] = []
    tally: Counter[str] = Counter()
    begin = threading.Barrier(USERS)

    def use(client: Client) -> None:
        endpoint = _endpoint(client)
        begin.wait(WITHIN_S)
        for question in QUESTIONS:
            started = time.perf_counter()
            shown = client.submit(question, fn_index=endpoint).result(WITHIN_S)
            seconds.append(time.perf_counter() - started)
            tally["answered" if EXPECTED in json.dumps(shown) else "not answered"] += 1

    started, served, used = time.perf_counter(), _cpu_s(server), time.process_time()
    with ThreadPoolExecutor(USERS) as pool:
        for outcome in [pool.submit(use, client) for client in clients]:
            error = outcome.exception()
            if error is not None:
                tally[type(error).__name__] += 1
    wall = time.perf_counter() - started
    cpu_ms = {"server": _cpu_s(server) - served, "clients": time.process_time() - used}
    for client in clients:
        client.close()
    return {
        "answers_per_s": round(len(seconds) / wall, 1),
        **spread(sorted(seconds)),
        "cpu_ms_an_answer": {name: round(taken * 1000 / len(seconds), 1) for name, taken in cpu_ms.items()},
        "replies": dict(tally),
    }


def _cpu_s(process: int) -> float:
    """Return the seconds of processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _endpoint(client: Client) -> int:
    """Return the event of the question's box; the page keeps its events out of Gradio's description of it."""
    for dependency in client.config["dependencies"]:
        if any(trigger == "submit" for _, trigger in dependency["targets"]):
            client.endpoints[dependency["id"]].is_valid = True
            return int(dependency["id"])
    raise ValueError("The page has no box for a question.")


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
    with tempfile.TemporaryDirectory() as folder:
        own = [sys.executable, "-m", "evals.benchmarks.page_load_gradio_fastapi"]
        options = ["--serve", str(Path(folder) / "library"), "--pretend", str(given.pretend)]
        command = [*own, *options, "--workers", str(given.workers)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                base_url = f"http://127.0.0.1:{int(server.stdout.readline())}"
                for name, path in (("bare", BARE), ("page", "")):
                    print(json.dumps({name: measure_users(base_url + path, server.pid)}), flush=True)  # noqa: T201
                print(json.dumps({"load": os.getloadavg()}))  # noqa: T201
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
