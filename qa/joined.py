"""Readings of the parts of one question -> one reading, each part with its own citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from corpus.types import Span
from qa.types import Citation, Disagreement, Reading, Statement


def join_readings(question: str, readings: Sequence[Reading]) -> Reading:
    """Join the readings of a question's parts, in order; a sentence that answers two of them is stated once.

    Args:
        question: As it was asked; what a disagreement is about.
        readings: At least one, none of which abstains, over the same hits.

    Returns:
        A reading as sure as its least sure part. Its short answer names that of each part, if each has one; a part
        that articles disagree about has none and is left out.
    """
    numbers: dict[tuple[str, Span], int] = {}
    citations: list[Citation] = []
    statements: dict[str, Statement] = {}
    disagreements: list[Disagreement] = []
    for reading in readings:
        renumbered: dict[int, int] = {}
        for citation in reading.citations:
            place = citation.article.id, citation.span
            if place not in numbers:
                numbers[place] = len(numbers) + 1
                citations.append(replace(citation, n=numbers[place]))
            renumbered[citation.n] = numbers[place]
        for statement in reading.statements:
            cited = tuple(renumbered[n] for n in statement.citations)
            statements.setdefault(statement.text, replace(statement, citations=cited))
        for each in reading.disagreements:
            sides = [replace(side, citations=tuple(renumbered[n] for n in side.citations)) for side in each.positions]
            disagreements.append(Disagreement(question, tuple(sides)))
    shorts = [reading.short_answer for reading in readings if not reading.disagreements]
    scores = zip(*(reading.hit_scores for reading in readings), strict=True)
    return Reading(
        tuple(statements.values()),
        tuple(citations),
        min(reading.confidence for reading in readings),
        tuple(max(of_hit) for of_hit in scores),
        "; ".join(dict.fromkeys(short for short in shorts if short)) or None if all(shorts) else None,
        disagreements=tuple(disagreements),
    )
