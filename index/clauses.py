"""Split a composed question into its clauses, so that evidence for each of them can be found."""

from __future__ import annotations

import re

MIN_WORDS = 6  # a shorter clause says too little to search with and joins its neighbour; 4 to 10 measured alike
MAX_CLAUSES = 6  # bounds the cost of a pasted paragraph; questions of people and of the DEV sets have fewer
_BORDER = re.compile(r"[,;:?.!]\s+|\s+(?=(?:while|whereas|and|but)\s)", re.IGNORECASE)
_WORD = re.compile(r"\w(?:[\w'’.,-]*\w)?")  # "1,5" is one
_EDGES = " \n\t,;:?.!"


def split_clauses(question: str) -> list[str]:
    """Return the clauses of a question in order; none when it has only one.

    "Did the Echo report a strike at the port, while the Herald said that talks had resumed?" asks for two things that
    no single passage holds. Every word of the question is in one clause. Clauses end at punctuation that a blank
    follows, and before "while", "whereas", "and" and "but".
    """
    clauses: list[str] = []
    for part in _BORDER.split(question):
        clause = part.strip(_EDGES)
        if not clause:
            continue
        if clauses and min(_n_words(clause), _n_words(clauses[-1])) < MIN_WORDS:
            clauses[-1] += f" {clause}"
        else:
            clauses.append(clause)
    while len(clauses) > MAX_CLAUSES:
        shortest = min(range(len(clauses) - 1), key=lambda place: len(clauses[place]) + len(clauses[place + 1]))
        clauses[shortest : shortest + 2] = [f"{clauses[shortest]} {clauses[shortest + 1]}"]
    return clauses if len(clauses) > 1 else []


def _n_words(text: str) -> int:
    return len(_WORD.findall(text))
