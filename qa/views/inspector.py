"""The inspector: what was found for the last answer, what each stage thought of it, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.safe_text import clipped, escape
from qa.types import flat

if TYPE_CHECKING:
    from index.types import Hit, Signals
    from qa.types import Answer, Timings

NOTHING = '<section class="blank"><h2>Inspector</h2><p>Ask a question; how it was answered is shown here.</p></section>'
STAGES = ("bm25", "cosine", "fused", "reader")
LABELS = {"bm25": "Words (BM25)", "cosine": "Meaning (cosine)", "fused": "Both, fused", "reader": "Reader"}
TITLE_CHARS = 60
_BAR, _ROW, _LEFT, _GAP = 150, 26, 40, 24  # pixels of the plot


def render_inspector(answer: Answer | None) -> str:
    """Return the passages that were candidates with their scores, why each was used or not, and the stages' times."""
    if answer is None:
        return NOTHING
    head = f'<h2 dir="auto">{escape(flat(answer.question))}</h2>{_render_summary(answer)}'
    if not answer.hits:
        return f'<section class="inspector">{head}<p>No passage was found.</p></section>'
    return (
        f'<section class="inspector">{head}{_render_times(answer.timings_ms)}'
        f"<h3>Scores of the {len(answer.hits)} best candidates</h3>{_render_plot(answer.hits)}"
        f"<h3>Why each was used or not</h3>{_render_table(answer)}</section>"
    )


def why(answer: Answer, hit: Hit) -> str:
    """Return in a few words why a passage was used, or why not."""
    numbers = [citation.n for citation in answer.citations if citation.passage_id == hit.passage.id]
    if numbers:
        return f"Cited as {', '.join(f'[{n}]' for n in numbers)}."
    if answer.abstained:
        return "Not used: nothing was answered."
    if hit.signals.reader is None:
        return "Not used: the reader gave it no score."
    scores = [each.signals.reader for each in answer.hits if _cited(answer, each) and each.signals.reader is not None]
    if scores and hit.signals.reader < min(scores):
        return "Not used: the reader thinks less of it than of every passage cited."
    return "Not used: it adds nothing that is not cited already."


def _cited(answer: Answer, hit: Hit) -> bool:
    return any(citation.passage_id == hit.passage.id for citation in answer.citations)


def _render_summary(answer: Answer) -> str:
    n = len(answer.citations)
    result = "declined" if answer.abstained else f"answered with {n} citation{'' if n == 1 else 's'}"
    return (
        f'<p class="count">{result.capitalize()}; confidence {answer.confidence:.2f}; reader '
        f"<code>{escape(answer.reader)}</code>; settings <code>{escape(answer.settings)}</code></p>"
    )


def _render_times(timings: Timings) -> str:
    most = max(timings.total, 0.1)
    rows = "".join(
        f'<tr><th scope="row">{label}</th><td>{value:,.1f} ms</td>'
        f'<td><meter min="0" max="{most:.1f}" value="{value:.1f}" aria-label="{label}"></meter></td></tr>'
        for label, value in (("Find passages", timings.retrieve), ("Read them", timings.read), ("Both", timings.total))
    )
    return f'<table class="times"><caption>Time of each stage</caption><tbody>{rows}</tbody></table>'


def _render_plot(hits: Sequence[Hit]) -> str:
    """Return bars, one row a passage and one column a stage, each column scaled to its own largest score."""
    height = _ROW * (len(hits) + 1)
    width = _LEFT + len(STAGES) * (_BAR + _GAP)
    parts = []
    for column, stage in enumerate(STAGES):
        left = _LEFT + column * (_BAR + _GAP)
        parts.append(f'<text x="{left}" y="16">{LABELS[stage]}</text>')
        values = [_score(hit.signals, stage) for hit in hits]
        most = max((abs(value) for value in values if value is not None), default=0.0) or 1.0
        for row, value in enumerate(values, 1):
            if value is not None:
                length = max(1.0, _BAR * max(value, 0.0) / most)
                parts.append(
                    f'<rect class="bar-{stage}" x="{left}" y="{row * _ROW + 2}" width="{length:.1f}" height="14"/>'
                )
    ranks = "".join(f'<text x="4" y="{hit.rank * _ROW + 14}">{hit.rank}</text>' for hit in hits)
    label = "Bars of each candidate’s scores; the table below holds the same figures."
    return (
        f'<div class="plot" tabindex="0" role="region" aria-label="Plot of scores"><svg viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-label="{label}">{ranks}{"".join(parts)}</svg></div>'
    )


def _render_table(answer: Answer) -> str:
    head = "".join(f'<th scope="col">{LABELS[stage]}</th>' for stage in STAGES)
    rows = "".join(_render_row(answer, hit) for hit in answer.hits)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Candidates"><table class="candidates"><thead><tr>'
        f'<th scope="col">Rank</th><th scope="col">Passage</th>{head}<th scope="col">Why</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _render_row(answer: Answer, hit: Hit) -> str:
    figures = "".join(f"<td>{_figure(_score(hit.signals, stage))}</td>" for stage in STAGES)
    kind = ' class="used"' if _cited(answer, hit) else ""
    title = escape(clipped(hit.article.title, TITLE_CHARS))
    excerpt = escape(clipped(hit.passage.text, 2 * TITLE_CHARS))
    return (
        f'<tr{kind}><td>{hit.rank}</td><th scope="row" dir="auto">{title}<span class="excerpt">{excerpt}</span></th>'
        f"{figures}<td>{escape(why(answer, hit))}</td></tr>"
    )


def _score(signals: Signals, stage: str) -> float | None:
    value: float | None = getattr(signals, stage)
    return value


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
