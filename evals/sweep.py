"""The same suite under many settings, and which of them nothing beats in both quality and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from corpus.errors import SettingsError
from evals.run import run_target
from evals.systems import make_bench, open_system
from evals.target import Target

QUALITY = "Right"
TIME = "Latency p50 (ms)"


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of settings.

    Args:
        quality: Bigger is better.
        latency_ms: Median of a question asked alone.
        pareto: Whether no other point is at least as good in both and better in one.
    """

    knobs: tuple[str, ...]
    quality: float
    low: float
    high: float
    latency_ms: float
    pareto: bool = False


def sweep(
    target: Target,
    knobs: Sequence[str],
    out: Path,
    work: Path,
    *,
    measure: str = QUALITY,
    limit: int | None = None,
    on_point: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> list[Point]:
    """Run every combination of the values, each in a folder of its own; those already run cost nothing.

    Args:
        target: What is asked.
        knobs: Each `name=value,value,...`.
        out: Folder for the runs.
        work: Folder for the libraries: settings that cut or embed otherwise need one each.
        measure: Which score is the quality.
        limit: Sample of so many questions.
        on_point: Called before each combination.

    Raises:
        SettingsError: If a knob is not of that form, or the measure is not among the scores.
    """
    points = []
    for combination in combinations(knobs):
        on_point(combination)
        bench = make_bench(work, combination, library=target.library)
        folder = out / "_".join(combination).replace("/", "-")
        with open_system("byline", bench, target.of.name, target.articles) as system:
            summary = run_target(target, system, folder, limit=limit, settings=bench.facts)
        scores = {score["name"]: score for score in summary["scores"]}
        if measure not in scores:
            raise SettingsError(f"There is no score {measure!r}. These are: {', '.join(scores)}.")
        score = scores[measure]
        points.append(Point(combination, score["value"], score["low"], score["high"], scores[TIME]["value"]))
    return mark_pareto(points)


def combinations(knobs: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every combination as `name=value` strings, in the order given.

    Raises:
        SettingsError: If a knob is not `name=value,value,...`.
    """
    choices = []
    for knob in knobs:
        name, sign, values = knob.partition("=")
        if not sign or not all(values.split(",")):
            raise SettingsError(f"{knob!r} is not name=value,value,... such as k=5,10.")
        choices.append([f"{name}={value}" for value in values.split(",")])
    return list(product(*choices))


def mark_pareto(points: Sequence[Point]) -> list[Point]:
    """Return the points, fastest first, each marked if no other beats it; equal ones are all marked."""

    def beaten(point: Point) -> bool:
        return any(
            other.quality >= point.quality
            and other.latency_ms <= point.latency_ms
            and (other.quality, -other.latency_ms) != (point.quality, -point.latency_ms)
            for other in points
        )

    marked = [Point(p.knobs, p.quality, p.low, p.high, p.latency_ms, pareto=not beaten(p)) for p in points]
    return sorted(marked, key=lambda p: (p.latency_ms, -p.quality, p.knobs))
