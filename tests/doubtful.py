"""A question that the reader answers, but not when it is strict: which one that is changes with the network."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus.load import bundled_articles
from evals.suite import find_suite
from qa.byline import Byline
from qa.reader_weights import load_weights
from qa.settings import Settings


@lru_cache(maxsize=1)
def doubtful_question() -> str:
    """Return a question of the bundled suite that is answered right, with less confidence than strict asks for."""
    strict = load_weights().thresholds["strict"]
    cases = [json.loads(line) for line in find_suite("bundled").read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder, Byline(Path(folder), Settings(library=Path(folder))) as byline:
        byline.add(bundled_articles())
        for case in cases:
            if not case["answerable"]:
                continue
            answer = byline.ask(case["question"])
            quotes = " ".join(citation.quote for citation in answer.citations)
            if not answer.abstained and answer.confidence < strict and any(a in quotes for a in case["answers"]):
                return str(case["question"])
    raise LookupError("Every question of the bundled suite that is answered right is answered at strict too.")
