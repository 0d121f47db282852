"""The two curves of the reader's model card as an SVG: risk against coverage, and confidence against being right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SIDE, _PAD = 260, 44
_STYLE = (
    "text{font:12px sans-serif;fill:#555}.axis{stroke:#999;fill:none}.ideal{stroke:#bbb;stroke-dasharray:4 4;fill:none}"
    ".curve{stroke:#2563eb;stroke-width:2;fill:none}.point{fill:#2563eb}"
)

Bin = tuple[float, float, int]


def plot_reader(curve: Mapping[str, float], bins: Sequence[Bin]) -> str:
    """Draw both plots side by side.

    Args:
        curve: Coverage ("0.1" to "1.0") to the share right of the questions answered first.
        bins: Mean confidence, share right and size of each tenth that holds a question.

    Returns:
        A self-contained SVG.
    """
    risk = [(float(coverage), 1.0 - right) for coverage, right in curve.items()]
    sure = [(confidence, right) for confidence, right, _ in bins]
    width, height = 2 * (_SIDE + 2 * _PAD), _SIDE + 2 * _PAD
    most = max((n for *_, n in bins), default=1)
    sizes = [3 + 5 * (n / most) ** 0.5 for *_, n in bins]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Risk against coverage, and confidence against being right"><style>{_STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        + _plot(0, "coverage", "share wrong", risk, [4.0] * len(risk), ideal=False)
        + _plot(_SIDE + 2 * _PAD, "confidence", "share right", sure, sizes, ideal=True)
        + "</svg>\n"
    )


def _plot(
    left: int, x_name: str, y_name: str, points: Sequence[tuple[float, float]], sizes: Sequence[float], *, ideal: bool
) -> str:
    def place(x: float, y: float) -> tuple[float, float]:
        return left + _PAD + x * _SIDE, _PAD + (1 - y) * _SIDE

    corner, end = place(0, 0), place(1, 1)
    parts = [f'<path class="axis" d="M{corner[0]} {end[1]}V{corner[1]}H{end[0]}"/>']
    if ideal:
        parts.append(f'<path class="ideal" d="M{corner[0]} {corner[1]}L{end[0]} {end[1]}"/>')
    for tick in (0.0, 0.5, 1.0):
        x, y = place(tick, 0)
        parts.append(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{tick:g}</text>')
        x, y = place(0, tick)
        parts.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    x, y = place(0.5, 0)
    parts.append(f'<text x="{x}" y="{y + 34}" text-anchor="middle">{x_name}</text>')
    parts.append(f'<text x="{corner[0]}" y="{end[1] - 12}">{y_name}</text>')
    placed = [place(*point) for point in points]
    parts.append(f'<path class="curve" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in placed)}"/>' if placed else "")
    for (x, y), size in zip(placed, sizes, strict=True):
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>')
    return "".join(parts)
