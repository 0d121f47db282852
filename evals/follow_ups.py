"""Do follow-ups find what they mean? Retrieval with the last turn alone, with our standalone question, and a person's.

Conversations (`conversations.jsonl`) have judged articles and no rewriting by a person; `rewrites.jsonl` has the
rewriting and no judged articles. So the first gives nDCG@10, and the second how near the hits come to those that a
person's rewriting finds. Rules were chosen on the inner half of the conversations alone; figures are of the outer one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from corpus.errors import ArticleFormatError
from evals.data import load_own, read_rows
from evals.measure import K
from evals.measures.retrieval import measure_articles
from evals.measures.statistics import compare, summarise
from evals.systems import Bench, corpus_hash
from evals.types import Comparison, Example, Retrieved, Score
from qa.byline import Byline
from qa.conversation import Turn, resolve

Half = Literal["inner", "outer", "all"]
LAST, OURS, PERSON = "last turn alone", "standalone question", "a person's rewriting"
AGREED = 5  # articles that a person's rewriting finds first, taken for what is meant
_DEPTH = 40  # passages, which come from more than ten articles
_READ_CHARS = 3_900  # of a pasted text, below the longest question that is read


@dataclass(frozen=True, slots=True)
class FollowUpReport:
    """What `measure_follow_ups` found.

    Args:
        retrieval: nDCG@10 over judged conversations with turns before, by how they were asked.
        gain: Standalone question against the last turn alone, paired.
        agreement: nDCG@10 with the first five articles of a person's rewriting as what is to be found.
        agreement_gain: Likewise.
        changed: Share of follow-ups that were put into words.
        asked_back: By type of the conversation, how many were asked back and how many there are.
    """

    half: Half
    retrieval: Mapping[str, Score]
    gain: Comparison
    agreement: Mapping[str, Score]
    agreement_gain: Comparison
    changed: float
    asked_back: Mapping[str, tuple[int, int]]

    def to_dict(self) -> dict[str, object]:
        """Return the report for JSON."""
        return {
            "half": self.half,
            "retrieval": {name: score.to_dict() for name, score in self.retrieval.items()},
            "gain": self.gain.to_dict(),
            "agreement": {name: score.to_dict() for name, score in self.agreement.items()},
            "agreement_gain": self.agreement_gain.to_dict(),
            "changed": round(self.changed, 4),
            "asked_back": {name: list(counts) for name, counts in self.asked_back.items()},
        }


def measure_follow_ups(
    folder: Path, bench: Bench, *, half: Half = "outer", on_question: Callable[[], None] = lambda: None
) -> FollowUpReport:
    """Measure the rules for follow-ups on a folder such as multiturn_mtrag.

    Args:
        folder: With `corpus.jsonl`, `conversations.jsonl` and `rewrites.jsonl`.
        bench: Keeps the library, and every search that was done, in its work folder.
        half: Of the conversations, by a hash of their id.
        on_question: Called after each search.

    Raises:
        ArticleFormatError: If the half holds no judged follow-up.
    """
    of = load_own(folder)
    articles = of.load_articles()
    rows = [row for row in read_rows(folder / "conversations.jsonl") if in_half(row["id"], half)]
    rewrites = [row for row in read_rows(folder / "rewrites.jsonl") if in_half(row["id"], half)]
    resolved = {row["id"]: resolve(row["question"], [_turn(turn) for turn in row["turns"][:-1]]) for row in rows}
    by_id = {example.id: example for example in of.examples}
    asked = [by_id[row["id"]] for row in rows if row["gold_docs"] and len(row["turns"]) > 1]
    if not asked:
        raise ArticleFormatError(f"The {half} half of {str(folder)!r} holds no judged follow-up. Ask for another half.")
    library = bench.work / "libraries" / f"{of.name}-follow-ups-{corpus_hash(articles)[:10]}"
    with Byline(library, bench.settings) as byline:
        byline.add_articles(articles)
        search = _Searches(byline, library / "follow_up_searches.jsonl", on_question)
        values = {
            LAST: _ndcg(asked, {e.id: search(e.question) for e in asked}),
            OURS: _ndcg(asked, {e.id: search(resolved[e.id].question) for e in asked}),
        }
        agreed = _agreement(rewrites, search)
    changed = [resolved[e.id].question != e.question for e in asked]
    return FollowUpReport(
        half,
        {name: summarise(f"nDCG@{K}", by) for name, by in values.items()},
        compare(values[OURS], values[LAST]),
        {name: summarise(f"nDCG@{K}", by) for name, by in agreed.items()},
        compare(agreed[OURS], agreed[LAST]),
        sum(changed) / len(changed),
        _asked_back(rows, {name: each.unclear is not None for name, each in resolved.items()}),
    )


def in_half(question_id: str, half: Half) -> bool:
    """Say whether a question's conversation is in the half; all turns of a conversation are in one."""
    inner = zlib.crc32(question_id.split("<::>")[0].encode()) % 2 == 0
    return half == "all" or inner == (half == "inner")


def follow_up_tables(found: FollowUpReport) -> tuple[Table, Table]:
    """Return the tables that are printed: what is found, and what was asked back."""
    table = Table("asked as", "judged articles", "what a person's rewriting finds", title=f"nDCG@10, {found.half} half")
    for name, agreed in found.agreement.items():
        judged = found.retrieval.get(name)
        cells = [f"{s.value:.3f} ({s.low:.3f}-{s.high:.3f}), {s.n}" if s else "not judged" for s in (judged, agreed)]
        table.add_row(name, *cells)
    for gain in (found.gain, found.agreement_gain):
        table.caption = f"{table.caption or ''}gain {gain.difference:+.3f} (p = {gain.p_value:.4f}, n = {gain.n})  "
    back = Table("type", "asked back", "of", title="Asked back which one is meant")
    for name, (asked, of) in found.asked_back.items():
        back.add_row(name, str(asked), str(of))
    return table, back


class _Searches:
    """Searches, each done once: what was found before is read from a file."""

    def __init__(self, byline: Byline, path: Path, on_question: Callable[[], None]) -> None:
        self._byline = byline
        self._path = path
        self._on_question = on_question
        self._found: dict[str, tuple[str, ...]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").split("\n")[:-1]:  # a line cut off by a crash is asked again
                question, names = json.loads(line)
                self._found[question] = tuple(names)

    def __call__(self, question: str) -> tuple[str, ...]:
        """Return the ids of the articles found, best first."""
        question = question[:_READ_CHARS]
        if question not in self._found:
            hits = self._byline.search(question, k=_DEPTH)
            self._found[question] = tuple(dict.fromkeys(hit.article.id for hit in hits))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([question, self._found[question]], ensure_ascii=False) + "\n")
        self._on_question()
        return self._found[question]


def _ndcg(examples: Sequence[Example], found: Mapping[str, Sequence[str]]) -> dict[str, float]:
    from corpus.types import Span

    run = {
        example_id: tuple(Retrieved(name, Span(0, 1), -float(rank)) for rank, name in enumerate(names))
        for example_id, names in found.items()
    }
    return measure_articles(run, examples, K)[f"nDCG@{K}"]


def _agreement(rewrites: Sequence[Mapping[str, Any]], search: _Searches) -> dict[str, dict[str, float]]:
    asked = [row for row in rewrites if len(row["history"]) > 1]
    examples = [
        Example(row["id"], row["rewrite"], True, gold_articles=search(row["rewrite"])[:AGREED]) for row in asked
    ]
    ours = {row["id"]: resolve(row["last_turn"], row["history"][:-1]).question for row in asked}
    return {
        LAST: _ndcg(examples, {row["id"]: search(row["last_turn"]) for row in asked}),
        OURS: _ndcg(examples, {name: search(question) for name, question in ours.items()}),
        PERSON: _ndcg(examples, {row["id"]: search(row["rewrite"]) for row in asked}),
    }


def _asked_back(rows: Sequence[Mapping[str, Any]], unclear: Mapping[str, bool]) -> dict[str, tuple[int, int]]:
    types = sorted({row["type"] for row in rows})
    return {
        name: (
            sum(unclear[row["id"]] for row in rows if row["type"] == name),
            sum(row["type"] == name for row in rows),
        )
        for name in types
    }


def _turn(row: Mapping[str, str]) -> Turn:
    return Turn("user" if row["role"] == "user" else "assistant", row["text"])
