"""The HTTP interface under load, by hand: `python -m evals.benchmarks.http_load`.

A server in a process of its own answers from the bundled articles. First 50 users ask 3 questions each, one after the
other; then one honest user asks alone, and again while 200 clients at three other addresses ask without pause, after
2,000 questions were put at once, beside 500 connections that never finish a request and a body that is too large. With
`--pretend S` an answer takes S seconds of waiting instead of reading, which measures the server and not the reader
(DESIGN 4, last row, is `--pretend 0.2`); the same users first ask a bare ASGI application in the same process, which
waits as long in as many places and sends the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import httpx

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
from qa.request_log import App, Receive, Scope, Send

FLOODERS, AT_ONCE, HALF_OPEN = 200, 2000, 500
BEGUN = b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"
FLOOD_SECONDS = 15.0
HONEST_QUESTIONS = 20
FLOOD_FROM = ("127.0.0.2", "127.0.0.3", "127.0.0.4")  # all of 127.0.0.0/8 is this machine


def serve(folder: str, pretend_s: float, workers: int) -> None:
    """Serve the library in `folder` until the process is ended; print the port."""
    import qa
    from corpus.load import bundled_articles
    from qa.http_fastapi import make_api
    from qa.metrics_prometheus import Metrics
    from qa.service import make_service
    from qa.settings import Settings
    from qa.types import Answer
    from qa.views.guard import Guard

    with qa.open(folder, settings=Settings(workers=workers)) as byline:
        byline.add(bundled_articles())
        ready = byline.ask(QUESTIONS[0])
        if pretend_s:

            def pretend(question: str, **options: object) -> Answer:
                time.sleep(pretend_s)
                return ready

            byline.ask = pretend  # type: ignore[method-assign]
        service = make_service(byline, Settings(workers=workers))
        guarded = Guard(make_api(service, Metrics(service)))
        bare = _bare(json.dumps(ready.to_dict()).encode(), pretend_s, workers)

        async def either(scope: Scope, receive: Receive, send: Send) -> None:
            await (bare if scope.get("path") == BARE else guarded)(scope, receive, send)

        asyncio.run(serve_app(either))


def _bare(body: bytes, pretend_s: float, places: int) -> App:
    free = asyncio.Semaphore(places)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        async with free:
            await asyncio.sleep(pretend_s)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


async def ask_in_turn(client: httpx.AsyncClient, n: int, tally: Counter[int], path: str = "/v1/ask") -> list[float]:
    """Ask `n` questions one after the other; return how long each took."""
    seconds = []
    for number in range(n):
        started = time.perf_counter()
        response = await client.post(path, json={"question": QUESTIONS[number % len(QUESTIONS)]})
        seconds.append(time.perf_counter() - started)
        tally[response.status_code] += 1
    return seconds


def client_at(base_url: str, address: str, n: int) -> httpx.AsyncClient:
    """Return a client that calls from a loopback address of its own."""
    limits = httpx.Limits(max_connections=n, max_keepalive_connections=n)
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=limits)
    return httpx.AsyncClient(base_url=base_url, transport=transport, timeout=60, trust_env=False)


async def measure_users(server: Served, path: str = "/v1/ask") -> dict[str, object]:
    """Fifty users at once, three questions each."""
    tally: Counter[int] = Counter()
    async with client_at(server.base_url, "127.0.0.1", USERS) as client:
        started, served, used = time.perf_counter(), cpu_s(server.pid), time.process_time()
        taken = await asyncio.gather(*(ask_in_turn(client, 3, tally, path) for _ in range(USERS)))
        wall = time.perf_counter() - started
    seconds = sorted(second for one in taken for second in one)
    cpu_ms = {"server": cpu_s(server.pid) - served, "clients": time.process_time() - used}
    return {
        "answers_per_s": round(len(seconds) / wall, 1),
        **spread(seconds),
        "cpu_ms_an_answer": {name: round(taken * 1000 / len(seconds), 1) for name, taken in cpu_ms.items()},
        "statuses": dict(tally),
    }


async def measure_flood(base_url: str) -> dict[str, object]:
    """One honest user alone, and during a flood that comes from a process of its own."""
    quiet, during = Counter[int](), Counter[int]()
    async with client_at(base_url, "127.0.0.1", 1) as honest:
        alone = await ask_in_turn(honest, HONEST_QUESTIONS, quiet)
        command = [sys.executable, "-m", "evals.benchmarks.http_load", "--flood", base_url]
        flood = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert flood.stdout is not None
        await flood.stdout.readline()  # it has begun
        told = asyncio.create_task(flood.stdout.read())
        flooded: list[float] = []
        while not told.done():
            flooded += await ask_in_turn(honest, 1, during)
        await flood.wait()
    p95 = {"alone": spread(sorted(alone))["p95_s"], "flooded": spread(sorted(flooded))["p95_s"]}
    return {
        "honest_p95_s": p95,
        "ratio": round(p95["flooded"] / p95["alone"], 2),
        "honest_statuses": [dict(quiet), dict(during)],
        **json.loads(await told),
    }


async def flood(base_url: str) -> dict[str, object]:
    """Take every place there is, for some seconds; return what was answered."""
    without_pause, at_once = Counter[int](), Counter[int]()
    async with contextlib.AsyncExitStack() as stack:
        n_sockets = FLOODERS + AT_ONCE
        clients = [await stack.enter_async_context(client_at(base_url, a, n_sockets)) for a in FLOOD_FROM]
        silent = [await asyncio.open_connection(*_place(base_url)) for _ in range(HALF_OPEN)]
        for _, writer in silent[::2]:
            writer.write(BEGUN)
        print("begun", flush=True)  # noqa: T201
        burst = [asyncio.create_task(_ask_once(clients[n % len(clients)], at_once)) for n in range(AT_ONCE)]
        too_much = asyncio.create_task(_send_too_much(clients[0], without_pause))
        await asyncio.sleep(0)  # all are sent before the clock runs: making so many takes a while
        stop = time.monotonic() + FLOOD_SECONDS
        steady = [asyncio.create_task(_flood(clients[n % len(clients)], stop, without_pause)) for n in range(FLOODERS)]
        await asyncio.gather(*burst, *steady, too_much)
        for _, writer in silent:
            writer.close()
    return {"flood_statuses": without_pause, "at_once_statuses": at_once, "half_open": len(silent)}


async def _ask_once(client: httpx.AsyncClient, tally: Counter[int]) -> None:
    try:
        tally[(await client.post("/v1/ask", json={"question": QUESTIONS[0]})).status_code] += 1
    except httpx.TransportError:
        tally[0] += 1


async def _flood(client: httpx.AsyncClient, stop: float, tally: Counter[int]) -> None:
    while time.monotonic() < stop:
        try:
            response = await client.post("/v1/ask", json={"question": QUESTIONS[0]})
            tally[response.status_code] += 1
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                await asyncio.sleep(0.2)  # not what it was told; yet this client must leave a core to the server
        except httpx.TransportError:
            tally[0] += 1


async def _send_too_much(client: httpx.AsyncClient, tally: Counter[int]) -> None:
    async def hundred_megabytes() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    headers = {"content-type": "application/json"}
    try:
        tally[(await client.post("/v1/ask", content=hundred_megabytes(), headers=headers)).status_code] += 1
    except httpx.TransportError:
        tally[httpx.codes.REQUEST_ENTITY_TOO_LARGE] += 1  # the server hung up in the middle of it


def _place(base_url: str) -> tuple[str, int]:
    url = httpx.URL(base_url)
    return url.host, url.port or 80


def main() -> None:
    """Start the server, ask it, print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--pretend", type=float, default=0.0, metavar="S", help="answers take S seconds of waiting")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--no-flood", action="store_true")
    parser.add_argument("--serve", metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--flood", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    allow_files(OPEN_FILES)
    if given.flood:
        print(json.dumps(asyncio.run(flood(given.flood))))  # noqa: T201
        return
    if given.serve:
        serve(given.serve, given.pretend, given.workers)
        return
    options = ["--pretend", str(given.pretend), "--workers", str(given.workers)]
    with serving("evals.benchmarks.http_load", *options) as server:
        if given.pretend:
            print(json.dumps({"bare": asyncio.run(measure_users(server, BARE))}))  # noqa: T201
        print(json.dumps({"users": asyncio.run(measure_users(server))}))  # noqa: T201
        if not given.no_flood:
            print(json.dumps({"flood": asyncio.run(measure_flood(server.base_url))}))  # noqa: T201
        print(json.dumps({"load": os.getloadavg()}))  # noqa: T201


if __name__ == "__main__":
    main()
