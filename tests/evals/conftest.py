"""A small set with judged evidence, and a system that replies from a table."""

import gzip
import json

import pytest

from corpus.types import Span
from evals.types import CitedSpan, Reply, Retrieved, Stated

ARTICLES = {
    "ferry": "The ferry to the island was cancelled on Monday. The storm broke two piers.",
    "budget": "The council passed the budget. Schools will get more money.",
    "trains": "Trains ran late all week. A signal near the harbour had failed.",
}
QUESTIONS = [
    ("q1", "Why was the ferry to the island cancelled?", "ferry", "The storm broke two piers.", "why"),
    ("q2", "Who will get more money?", "budget", "Schools will get more money.", "who"),
    ("q3", "What failed near the harbour?", "trains", "A signal near the harbour had failed.", "what"),
]
ANSWERS = {"q1": ["two piers"], "q2": ["Schools"], "q3": ["a signal"]}


def write_set(folder, *, gzipped=True):
    """Write the small set in our own format."""
    folder.mkdir(parents=True, exist_ok=True)
    articles = [{"id": name, "title": name.title(), "text": text} for name, text in ARTICLES.items()]
    lines = "".join(json.dumps(row) + "\n" for row in articles)
    if gzipped:
        (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    else:
        (folder / "corpus.jsonl").write_text(lines)
    rows = []
    for name, question, doc, evidence, kind in QUESTIONS:
        start = ARTICLES[doc].index(evidence)
        span = {"doc": doc, "start": start, "end": start + len(evidence), "text": evidence}
        rows.append({"id": name, "question": question, "gold_docs": [doc], "gold_spans": [span], "type": kind})
    rows.append({"id": "q4", "question": "What is the capital of Australia?", "type": "null"})
    made = [row | {"answers": ANSWERS.get(row["id"], []), "answerable": row["type"] != "null"} for row in rows]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "small")


def right_replies():
    """Return the best reply to each question of the small set."""
    replies = {}
    for name, _, doc, evidence, _ in QUESTIONS:
        start = ARTICLES[doc].index(evidence)
        citation = CitedSpan(1, doc, start, start + len(evidence), evidence)
        replies[name] = Reply(
            hits=(Retrieved(doc, Span(0, len(ARTICLES[doc])), 1.0, 20),),
            statements=(Stated(evidence, (1,)),),
            citations=(citation,),
            confidence=0.9,
            short_answer=ANSWERS[name][0],
            latency_ms=10.0,
            cpu_s=0.01,
        )
    replies["q4"] = Reply(abstained=True, confidence=0.1, latency_ms=10.0, cpu_s=0.01)
    return replies


class TableSystem:
    """Replies from a table; counts how often it was asked; `broken` questions raise their error."""

    name = "table"
    reads = True

    def __init__(self, replies, broken=(), fingerprint="table:1"):
        self.replies = replies
        self.broken = dict(broken)
        self.fingerprint = fingerprint
        self.asked = []

    def reply(self, example):
        self.asked.append(example.id)
        if example.id in self.broken:
            raise self.broken[example.id]
        return self.replies[example.id]
