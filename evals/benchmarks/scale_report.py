"""The table and the growth curve of `scale`: `python -m evals.benchmarks.scale_report RESULTS.json`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

Row = dict[str, float]
SHOWN = (
    ("retrieve", "#1f5fa8"),
    ("retrieve, half of the days", "#b4541a"),
    ("raw Chroma, 100 nearest (reference)", "#3b7d3b"),
    ("exact scan with NumPy (reference)", "#8a3b8a"),
)
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 560, 300, 50, 44, 12, 12
_KEY = 18  # height of a line of the legend


def render_table(results: Sequence[dict[str, Row]]) -> str:
    """Return a Markdown table: processor ms (median) / wall ms (95 %) for each size."""
    sizes = [f"{result['library']['passages']:,.0f}" for result in results]
    lines = [f"| CPU ms / wall p95 ms | {' | '.join(sizes)} |", f"|---|{'---:|' * len(sizes)}"]
    for name in results[0]:
        if "cpu" in results[0][name]:
            cells = [f"{result[name]['cpu']:.1f} / {result[name]['p95']:.0f}" for result in results]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    memory = [f"{result['memory']['MB']:.0f}" for result in results]
    recall = [f"{result['Chroma']['recall@10']:.4f}" for result in results]
    lines.append(f"| memory, MB | {' | '.join(memory)} |")
    lines.append(f"| Chroma's recall@10 of exact | {' | '.join(recall)} |")
    return "\n".join(lines)


def draw_growth(results: Sequence[dict[str, Row]]) -> str:
    """Return processor time by passages as one SVG, both axes from 0."""
    x_max = max(result["library"]["passages"] for result in results)
    top = max(result[name]["cpu"] for result in results for name, _ in SHOWN)
    y_max = math.ceil(top / 5) * 5

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (_WIDTH - _LEFT - _RIGHT) * x / x_max,
            _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * y / y_max,
        )

    parts = []
    for step in range(6):
        x, y = at(x_max * step / 5, y_max * step / 5)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{y_max * step / 5:g}</text>')
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{x_max * step / 5:,.0f}</text>'
        )
    middle = (_WIDTH + _LEFT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">passages</text>')
    parts.append(f'<text transform="translate(12 {_HEIGHT / 2}) rotate(-90)" text-anchor="middle">CPU ms</text>')
    for number, (name, colour) in enumerate(SHOWN):
        points = [at(result["library"]["passages"], result[name]["cpu"]) for result in results]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        y = _TOP + 12 + number * _KEY
        parts.append(f'<text x="{_LEFT + 10}" y="{y}" fill="{colour}">{name}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        f' font-size="11" role="img" aria-label="Processor time of a search by passages">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def main() -> None:
    """Write scale.svg beside this file, and print the table for README.md."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(__file__).with_name("scale.svg").write_text(draw_growth(results), encoding="utf-8")
    sys.stdout.write(render_table(results) + "\n")


if __name__ == "__main__":
    main()
