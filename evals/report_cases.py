"""The questions that went worst, each to be opened: the evidence that was judged beside what was cited."""

from __future__ import annotations

from collections.abc import Sequence

from evals.report import N_WORST, RunReport, worst_rows
from evals.rows import AROUND_CHARS, Excerpt, Row
from evals.types import Reply
from qa.safe_text import clipped, escape

SHOWN_CHARS = 900  # of one piece of evidence: a whole article as citation would hide all else
SHOWN_GOLD = 6
STATED_CHARS = 300  # a verbatim statement is shown again, whole, as what it cites
_VALUES = ("Right", "Citation precision", "Citation recall", "Token F1", "Answer contained", "Evidence recall@10")


def render_cases(report: RunReport) -> str:
    """Return the worst questions of a run as HTML."""
    rows = worst_rows(report.rows)
    theirs = {row.id: row for row in report.against.rows} if report.against else {}
    cases = "".join(render_case(row, report, theirs.get(row.id)) for row in rows)
    count = f"The {len(rows)} worst questions" if len(report.rows) > N_WORST else "The questions, worst first"
    return f'<h3>{count}</h3><p class="hint">Open one to see the judged evidence beside what was cited.</p>{cases}'


def render_case(row: Row, report: RunReport, other: Row | None, action: str = "") -> str:
    """Return one question to be unfolded.

    Args:
        row: The question in the report's run.
        report: Names the systems.
        other: The same question in the run that it is set against.
        action: HTML of what can be done with it.
    """
    verdict, kind = _verdict(row)
    tags = f'<span class="tag">{escape(row.type or row.part or "question")}</span>'
    values = ", ".join(f"{name} {row.values[name]:.2f}" for name in _VALUES if name in row.values)
    sides = _render_gold(row) + _render_reply(row, report.name)
    if other is not None and report.against is not None:
        sides += _render_reply(other, report.against.name)
    return (
        f'<details class="case"><summary><span class="asked" dir="auto">{escape(row.question)}</span>{tags}'
        f'<span class="tag {kind}">{escape(verdict)}</span></summary><div class="inside">{action}'
        f'<p class="hint">{escape(row.id)}{"; " if values else ""}{escape(values)}</p>'
        f'<div class="pair">{sides}</div></div></details>'
    )


def _verdict(row: Row) -> tuple[str, str]:
    reply = row.reply
    if reply is None or reply.error:
        return ("failed" if reply else "missing"), "bad"
    right = row.values.get("Right")
    if right is None:
        return f"nDCG@10 {row.values.get('nDCG@10', 0.0):.2f}", ""
    if reply.abstained:
        return ("rightly declined", "good") if right else ("declined", "bad")
    if not row.answerable:
        return "should decline", "bad"
    return ("right", "good") if right else ("wrong evidence", "bad")


def _render_gold(row: Row) -> str:
    answers = " / ".join(row.answers) if row.answers else ""
    if not row.answerable:
        answers = "The articles do not say."
    shown = "".join(_render_excerpt(each) for each in row.gold[:SHOWN_GOLD])
    more = f'<p class="hint">and {len(row.gold) - SHOWN_GOLD} more</p>' if len(row.gold) > SHOWN_GOLD else ""
    missing = "" if row.gold else '<p class="hint">No evidence was judged.</p>'
    answer = f'<p dir="auto"><b>{escape(clipped(answers, SHOWN_CHARS))}</b></p>' if answers else ""
    return f"<section><h3>Judged</h3>{answer}{shown}{more}{missing}</section>"


def _render_reply(row: Row, system: str) -> str:
    reply = row.reply
    head = f"<h3>{escape(system)}</h3>"
    if reply is None or reply.error:
        reason = reply.error if reply and reply.error else "It was never asked."
        return f'<section>{head}<p class="broken">{escape(reason)}</p></section>'
    sure = f"Confidence {reply.confidence:.2f}." if reply.confidence is not None else ""
    if reply.abstained or not reply.statements:
        said = f"<p><b>Declined.</b> {escape(sure)}</p>"
    else:
        said = f'<p dir="auto"><b>{escape(clipped(reply.short_answer or "", 200))}</b> {escape(sure)}</p>'
        said += "".join(f'<p dir="auto">{escape(clipped(s.text, STATED_CHARS))}{_marks(s.citations)}</p>'
                        for s in reply.statements)  # fmt: skip
    shown = "".join(_render_excerpt(each) for each in row.cited)
    return f"<section>{head}{said}{shown}{_render_broken(row, reply)}</section>"


def _marks(citations: Sequence[int]) -> str:
    return "".join(f" [{n}]" for n in citations)


def _render_broken(row: Row, reply: Reply) -> str:
    """Name the citations that do not lead to their words."""
    sound = {(each.article_id, each.start, each.end, each.text) for each in row.cited}
    broken = [c.n for c in reply.citations if (c.article_id, c.start, c.end, c.quote) not in sound]
    known = {c.n for c in reply.citations}
    dangling = sorted({n for stated in reply.statements for n in stated.citations} - known)
    parts = [f"[{n}] does not slice back to its quote." for n in broken] + [f"[{n}] leads nowhere." for n in dangling]
    return "".join(f'<p class="broken">{escape(part)}</p>' for part in parts)


def _render_excerpt(each: Excerpt) -> str:
    text = each.text if len(each.text) <= SHOWN_CHARS else each.text[:SHOWN_CHARS] + "…"
    before = ("…" if len(each.before) >= AROUND_CHARS else "") + each.before
    after = each.after + ("…" if len(each.after) >= AROUND_CHARS else "")
    before, after = (f'<span class="around">{escape(part)}</span>' for part in (before, after))
    where = f"{each.title}, {each.article_id}, {each.start}..{each.end}"
    return (
        f'<blockquote dir="auto"><cite>{escape(clipped(where, 160))}</cite>{before}<mark>{escape(text)}</mark>{after}'
        "</blockquote>"
    )
