"""What the load benchmarks share: a server in a process of its own, who asks it what, and what that took."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from qa.request_log import App

QUESTIONS = (
    "Which journalist revealed that an Iraqi man had been sent to Rwanda?",
    "How much compensation does Rwanda want?",
    "What is the capital of Australia?",
)
BARE = "/bare"  # of the reference in the same process
USERS = 50
OPEN_FILES = 8192  # a socket is one; the usual bound of 1,024 is too small for either side


class Served(NamedTuple):
    """A server that answers: its address and its process."""

    base_url: str
    pid: int


@contextmanager
def serving(module: str, *options: str) -> Iterator[Served]:
    """Run `python -m module --serve DIR options` over a new library until the block ends; it prints its port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", module, "--serve", str(Path(folder) / "library"), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                yield Served(f"http://127.0.0.1:{int(server.stdout.readline())}", server.pid)
            finally:
                server.terminate()


async def serve_app(app: App) -> None:
    """Serve an application at a free port, which is printed, until the process is ended."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await task


def allow_files(n: int) -> None:
    """Raise this process's bound of open files to `n`, or as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n if hard == resource.RLIM_INFINITY else min(n, hard), hard))


def cpu_s(process: int) -> float:
    """Return the seconds of processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of what is sorted."""
    p95 = seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))]
    return {"p50_s": round(statistics.median(seconds), 3), "p95_s": round(p95, 3)}
