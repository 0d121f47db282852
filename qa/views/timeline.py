"""The articles of a library by publication date, as a plain SVG of bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from qa.safe_text import written_date

MOST_BARS = 60  # more are thinner than a pointer; then months become years
WIDTH, HEIGHT, GAP = 960, 96, 3  # pixels


def render_timeline(days: Sequence[date | None]) -> str:
    """Return bars by month, or by year when that would be too many; empty when fewer than two articles are dated."""
    dated = sorted(day for day in days if day)
    if len(dated) < 2:
        return ""
    n_months = _months(dated[-1]) - _months(dated[0]) + 1
    periods, label = (_by_month(dated), "month") if n_months <= MOST_BARS else (_by_year(dated), "year")
    most = max(count for _, count in periods)
    step = WIDTH / len(periods)
    bars = "".join(
        _render_bar(place * step, max(1.0, step - GAP), count / most, f"{name}: {count:,}")
        for place, (name, count) in enumerate(periods)
        if count
    )
    undated = len(days) - len(dated)
    said = f"{len(dated):,} dated articles by {label}, {written_date(dated[0])} to {written_date(dated[-1])}"
    said += f"; {undated:,} without a date" if undated else ""
    ends = f"<p><span>{periods[0][0]}</span><span>{periods[-1][0]}</span></p>"
    return (
        f'<figure class="timeline"><figcaption>{said}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' preserveAspectRatio="none" role="img" aria-label="{said}; at most {most:,} in one {label}.">{bars}</svg>'
        f"{ends}</figure>"
    )


def _render_bar(left: float, width: float, share: float, title: str) -> str:
    height = HEIGHT * share
    top = HEIGHT - height
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"><title>{title}</title></rect>'


def _by_month(days: Sequence[date]) -> list[tuple[str, int]]:
    counts = Counter(_months(day) for day in days)
    months = range(_months(days[0]), _months(days[-1]) + 1)
    return [(written_date(date(month // 12, month % 12 + 1, 1)).split(" ", 1)[1], counts[month]) for month in months]


def _by_year(days: Sequence[date]) -> list[tuple[str, int]]:
    counts = Counter(day.year for day in days)
    years = range(days[0].year, days[-1].year + 1)
    return [(str(year), counts[year]) for year in years]


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1
