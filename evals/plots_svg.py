"""Plots as inline SVG: colours come from the page's style sheet, so that they fit light and dark; all text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.safe_text import clipped, escape

WIDTH, HEIGHT = 360, 250  # in the drawing's own units; the page stretches it
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 40
_ROW = 26  # height of a row of bars: a finger's width on a phone
_LABEL_CHARS = 28
_TEXT_BELOW = 4  # from the middle of a line of text to its baseline

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A named value with its interval, in 0..1 or any other range."""

    name: str
    value: float
    low: float
    high: float
    note: str = ""


def draw_lines(series: Sequence[tuple[str, Points]], x_name: str, y_name: str, *, diagonal: bool = False) -> str:
    """Return lines over 0..1 on both axes, one per named series; `diagonal` adds what perfect calibration gives."""
    top = max((y for _, points in series for _, y in points), default=1.0)
    y_max = 1.0 if diagonal or top > 0.5 else 0.5
    parts = [_frame(x_name, y_name, [0, 0.25, 0.5, 0.75, 1.0], [y_max * step / 4 for step in range(5)], 1.0, y_max)]
    if diagonal:
        parts.append(f'<path class="ideal" d="{_path([(0, 0), (1, 1)], 1.0, y_max)}"/>')
    for number, (_, points) in enumerate(series, 1):
        thinned = points[:: max(1, len(points) // 400)]  # more points than pixels only make the page large
        parts.append(f'<path class="line s{number}" d="{_path(thinned, 1.0, y_max)}"/>')
        if diagonal:
            parts += [_dot(x, y, number, 1.0, y_max) for x, y in points]
    return _svg(f"{y_name} by {x_name}", parts, HEIGHT) + _legend([name for name, _ in series])


def draw_bars(groups: Sequence[tuple[str, Sequence[Bar]]], systems: Sequence[str]) -> str:
    """Return horizontal bars from 0 to 1 with intervals; each group is a name and one bar for each of the systems."""
    rows = [(name, bar, number) for name, bars in groups for number, bar in enumerate(bars, 1)]
    left, right = 120, 44
    scale = WIDTH - left - right
    height = len(rows) * _ROW + 28
    parts = [
        f'<line class="grid" x1="{left + scale * step / 4:.1f}" x2="{left + scale * step / 4:.1f}" y1="4"'
        f' y2="{height - 22}"/><text class="tick" text-anchor="middle" x="{left + scale * step / 4:.1f}"'
        f' y="{height - 8}">{step / 4:g}</text>'
        for step in range(5)
    ]
    for place, (name, bar, number) in enumerate(rows):
        middle = place * _ROW + _ROW / 2 + 4
        label = f'<text class="name" x="0" y="{middle + _TEXT_BELOW}">{_label(name, 18)}</text>' if number == 1 else ""
        low, high = (left + scale * min(1.0, max(0.0, edge)) for edge in (bar.low, bar.high))
        parts.append(
            f'{label}<rect class="bar s{number}" x="{left}" y="{middle - 8}" height="16"'
            f' width="{scale * min(1.0, max(0.0, bar.value)):.1f}"><title>{escape(_told(bar))}</title></rect>'
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
            f'<text class="tick" x="{WIDTH - right + 6}" y="{middle + _TEXT_BELOW}">{bar.value:.2f}</text>'
        )
    return _svg("Bars by group", parts, height) + _legend(systems)


def draw_histogram(series: Sequence[tuple[str, Sequence[float]]], x_name: str, n_bins: int = 20) -> str:
    """Return how often values fall in equally wide bins up to the 99th percentile; the rest joins the last bin."""
    everything = sorted(value for _, values in series for value in values)
    if not everything:
        return ""
    x_max = everything[min(len(everything) - 1, int(len(everything) * 0.99))] or 1.0
    counted = [(name, _counts(values, x_max, n_bins)) for name, values in series]
    y_max = max(max(counts) for _, counts in counted) or 1
    parts = [_frame(x_name, "questions", [x_max * s / 4 for s in range(5)], [0, y_max / 2, y_max], x_max, float(y_max))]
    width = (WIDTH - _LEFT - _RIGHT) / n_bins / len(counted)
    for number, (_, counts) in enumerate(counted, 1):
        for place, count in enumerate(counts):
            x, y = _at(place * x_max / n_bins, count, x_max, y_max)
            parts.append(
                f'<rect class="bar s{number}" x="{x + (number - 1) * width:.1f}" y="{y:.1f}"'
                f' width="{max(1.0, width - 1):.1f}" height="{HEIGHT - _BOTTOM - y:.1f}"/>'
            )
    return _svg(f"Histogram of {x_name}", parts, HEIGHT) + _legend([name for name, _ in series])


def draw_differences(bars: Sequence[Bar]) -> str:
    """Return each difference with its interval around a line at 0; what reaches over 0 is drawn faint."""
    if not bars:
        return ""
    reach = max(max(abs(bar.low), abs(bar.high)) for bar in bars) or 1.0
    left = 166
    scale = (WIDTH - left - 8) / 2
    middle_x = left + scale
    height = len(bars) * _ROW + 28
    parts = [f'<line class="zero" x1="{middle_x}" x2="{middle_x}" y1="4" y2="{height - 22}"/>']
    for step in (-1, 0, 1):
        anchor = {-1: "start", 0: "middle", 1: "end"}[step]
        parts.append(
            f'<text class="tick" text-anchor="{anchor}" x="{middle_x + step * scale}" y="{height - 8}">'
            f"{step * reach:+.2f}</text>"
        )
    for place, bar in enumerate(bars):
        y = place * _ROW + _ROW / 2 + 4
        low, high, x = (middle_x + scale * edge / reach for edge in (bar.low, bar.high, bar.value))
        faint = " faint" if bar.low <= 0 <= bar.high else ""
        parts.append(
            f'<g class="difference{faint}"><title>{escape(_told(bar))}</title>'
            f'<text class="name" x="0" y="{y + _TEXT_BELOW}">{_label(bar.name, 29)}</text>'
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot s1" cx="{x:.1f}" cy="{y}" r="4"/></g>'
        )
    return _svg("Differences", parts, height)


def _frame(
    x_name: str, y_name: str, x_ticks: Sequence[float], y_ticks: Sequence[float], x_max: float, y_max: float
) -> str:
    parts = []
    for tick in y_ticks:
        _, y = _at(0, tick, x_max, y_max)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + _TEXT_BELOW:.1f}">{_tick(tick)}</text>'
        )
    for tick in x_ticks:
        x, _ = _at(tick, 0, x_max, y_max)
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{HEIGHT - _BOTTOM + 16}">{_tick(tick)}</text>'
        )
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    high = (HEIGHT - _BOTTOM + _TOP) / 2
    parts.append(
        f'<text class="axis" text-anchor="middle" x="{middle}" y="{HEIGHT - 6}">{escape(x_name)}</text>'
        f'<text class="axis" text-anchor="middle" transform="translate(11 {high}) rotate(-90)">{escape(y_name)}</text>'
    )
    return "".join(parts)


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # never 1.15e+03


def _at(x: float, y: float, x_max: float, y_max: float) -> tuple[float, float]:
    across = _LEFT + (WIDTH - _LEFT - _RIGHT) * min(x, x_max) / x_max
    return across, HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(y, y_max) / y_max


def _path(points: Points, x_max: float, y_max: float) -> str:
    return "M" + "L".join("{:.1f} {:.1f}".format(*_at(x, y, x_max, y_max)) for x, y in points)


def _dot(x: float, y: float, number: int, x_max: float, y_max: float) -> str:
    across, down = _at(x, y, x_max, y_max)
    return f'<circle class="dot s{number}" cx="{across:.1f}" cy="{down:.1f}" r="3.5"/>'


def _counts(values: Sequence[float], x_max: float, n_bins: int) -> list[int]:
    counts = [0] * n_bins
    for value in values:
        counts[min(n_bins - 1, int(value / x_max * n_bins))] += 1
    return counts


def _told(bar: Bar) -> str:
    return f"{bar.name}: {bar.value:.3f} ({bar.low:.3f} to {bar.high:.3f}){f', {bar.note}' if bar.note else ''}"


def _label(name: str, n_chars: int = _LABEL_CHARS) -> str:
    return escape(clipped(name, n_chars))


def _legend(names: Sequence[str]) -> str:
    if len(names) < 2:
        return ""
    keys = "".join(f'<li><i class="key s{number}"></i>{escape(name)}</li>' for number, name in enumerate(names, 1))
    return f'<ul class="legend">{keys}</ul>'


def _svg(title: str, parts: Sequence[str], height: int) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
