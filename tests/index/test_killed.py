"""A kill -9 at any moment of an ingest loses nothing that was acknowledged and leaves nothing half visible."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus.chunk import chunk_article
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import Retriever
from tests.fakes import FakeEmbedder
from tests.killed_ingest import AFTER, BEFORE, N_EDITED

ROOT = Path(__file__).parents[2]
OLD = {article.id: article for article in BEFORE}
NEW = {article.id: article for article in AFTER}


def kill(folder, kills, timeout_s=240):
    """Return (folder, how it was killed, exit code) of each run."""
    command = [sys.executable, "-m", "tests.killed_ingest", str(folder), *kills]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [(Path(path), kill, int(code)) for path, kill, code in lines]


def check(folder):
    """Reopen a killed library: everything acknowledged is there and whole; return how long the first answer took."""
    acknowledged = set((folder / "acknowledged").read_text().split())
    started = time.monotonic()
    with open_index(folder / "library", FakeEmbedder()) as index:
        retriever = Retriever(index)
        first = retriever.retrieve("What does the report on oldmark0 newmark0 tell?")
        answered_s = time.monotonic() - started
        library = index.library
        stored = {info.id: library.article(info.id) for info in library.articles()}
        assert first[0].article == stored["a00"]
        for id_, article in stored.items():
            assert article in (OLD.get(id_), NEW.get(id_))
            assert library.passages_of(id_) == chunk_article(article)  # wholly, or not at all
        assert acknowledged & set(NEW) <= {id_ for id_, article in stored.items() if article == NEW.get(id_)}
        assert set(OLD) - {"a90", "a91"} <= set(stored)
        gone = {"a90", "a91"} - set(stored)
        assert len(gone) in (0, 2) and (len(gone) == 2 or "removed" not in acknowledged)
        ids = set(library.passage_ids())
        assert ids == index.vectors.ids() == index.lexical.ids()
        for word, article in [(f"newmark{n}", NEW[f"a{n:02}"]) for n in (0, N_EDITED, 19)]:
            hits = {hit.article.id for hit in retriever.retrieve(word, k=50) if word in hit.passage.text}
            assert hits == ({article.id} if stored.get(article.id) == article else set())
        add_articles(index, AFTER)  # it goes on from there
        assert {id_: library.article(id_) for id_ in NEW} == NEW
        assert set(library.passage_ids()) == index.vectors.ids() == index.lexical.ids()
    return answered_s


@pytest.fixture(scope="module")
def n_steps(tmp_path_factory):
    ((folder, _, code),) = kill(tmp_path_factory.mktemp("whole"), ["step:0"])
    assert code == 0 and "removed" in (folder / "acknowledged").read_text()
    check(folder)
    return int((folder / "steps").read_text())


def test_a_kill_at_some_write_steps_and_moments_loses_nothing(tmp_path, n_steps):
    steps = [f"step:{1 + n * (n_steps - 1) // 4}" for n in range(5)]
    for folder, how, code in kill(tmp_path, [*steps, "after:0", "after:0.1", "after:0.3"]):
        assert code == -signal.SIGKILL or how.startswith("after"), how
        check(folder)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_kill_at_every_write_step_loses_nothing(tmp_path, n_steps):
    longest_s = 0.0
    for folder, how, code in kill(tmp_path, [f"step:{step}" for step in range(1, n_steps + 1)], timeout_s=1800):
        assert code == -signal.SIGKILL, how
        longest_s = max(longest_s, check(folder))
    sys.stdout.write(f"{n_steps} steps; right answer at most {longest_s:.2f} s after reopening\n")


N_KILLS = 200


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_at_random_lose_nothing(tmp_path):
    chance = random.Random(int(os.environ.get("BYLINE_TEST_SEED", "5")))
    ((whole, _, _),) = kill(tmp_path / "whole", ["step:0"])
    took_s = float((whole / "took_s").read_text())  # kills that come later than the end prove nothing
    kills = [f"after:{chance.uniform(0, took_s):.3f}" for _ in range(N_KILLS)]
    runs = kill(tmp_path / "killed", kills, timeout_s=1800)
    longest_s = max(check(folder) for folder, _, _ in runs)
    n_killed = sum(code == -signal.SIGKILL for _, _, code in runs)
    sys.stdout.write(f"{len(runs)} runs, {n_killed} killed; right answer at most {longest_s:.2f} s after reopening\n")
    assert n_killed > N_KILLS / 2
