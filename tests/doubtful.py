"""A question that the reader answers, but not when it is strict: which one that is changes with the network."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from corpus.load import bundled_articles
from evals.suite import find_suite
from qa.byline import Byline
from qa.parts import split_question
from qa.reader_weights import load_weights
from qa.settings import Settings

SUITES = ("bundled", "first_answers")


@lru_cache(maxsize=1)
def doubtful_case() -> dict[str, Any]:
    """Return a case of a suite over the bundled articles that is answered right, less surely than strict asks for."""
    strict = load_weights().thresholds["strict"]
    lines = [line for name in SUITES for line in find_suite(name).read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder, Byline(Path(folder), Settings(library=Path(folder))) as byline:
        byline.add(bundled_articles())
        for case in map(json.loads, lines):
            if not case["answerable"] or len(split_question(case["question"])) > 1:
                continue  # what asks several things is read part by part, each with its own confidence
            answer = byline.ask(case["question"])
            quotes = " ".join(citation.quote for citation in answer.citations)
            if not answer.abstained and answer.confidence < strict and any(a in quotes for a in case["answers"]):
                return dict(case)
    raise LookupError("Every question that is answered right is answered at strict too: write another case for this.")


def doubtful_question() -> str:
    """Return the question of `doubtful_case`."""
    return str(doubtful_case()["question"])
