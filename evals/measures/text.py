"""How answers read: exact match, token F1, containment, complete answers; normalised as SQuAD does."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence

from evals.measures.retrieval import Values
from evals.types import Example, Reply

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”–—£€")
_YES_NO = {"yes", "no"}


def measure_text(replies: Mapping[str, Reply], examples: Sequence[Example]) -> Values:
    """Return exact match, token F1 (short answer and full text) and containment, per answerable question.

    - Exact match = 1 if the short answer equals an acceptable answer after `normalise_answer`.
    - Token F1 = best over acceptable answers of `token_f1` with the short answer.
    - Text F1 = the same with the whole text of the answer: the figure for long reference answers.
    - Answer contained = 1 if an acceptable answer stands in the short answer or the text, as `contains`.

    As in Rajpurkar et al. 2016 (SQuAD), the best of several acceptable answers counts. Without a short answer the
    whole text takes its place. A declined, failed or missing answer scores 0; questions without acceptable answers
    are left out.
    """
    names = ("Exact match", "Token F1", "Text F1", "Answer contained")
    values: Values = {name: {} for name in names}
    for example in examples:
        if not (example.answerable and example.answers):
            continue
        reply = replies.get(example.id)
        figures = _figures(reply, example.answers) if reply and reply.answered else (0.0,) * len(names)
        for name, figure in zip(names, figures, strict=True):
            values[name][example.id] = figure
    return values


def measure_completeness(replies: Mapping[str, Reply], examples: Sequence[Example]) -> Values:
    """Return how complete and how clean answers are, per question that wants several things or has wrong answers.

    - Complete and clean = 1 if everything wanted is contained and no wrong answer: the exact match of RAMDocs
      (Wang et al. 2025, arXiv 2504.13079).
    - Answers covered = things wanted that are contained, by any of their spellings / things wanted.
    - No wrong answer = 1 if something is answered and no wrong answer is contained.
    - All sides shown = 1 if everything wanted is contained, and what is wrong only as one of several positions of a
      disagreement: nothing in the articles says which of them is wrong, but none may be stated as the fact.

    Contained in the text, the short answer or a position of a disagreement. A declined or missing answer scores 0 in
    all three.
    """
    values: Values = {
        name: {} for name in ("Complete and clean", "Answers covered", "No wrong answer", "All sides shown")
    }
    for example in examples:
        if not example.wanted:
            continue
        reply = replies.get(example.id)
        said = _said(reply) if reply and reply.answered else ""
        covered = sum(any(contains(said, word) for word in group) for group in example.wanted) / len(example.wanted)
        clean = bool(said) and not any(contains(said, wrong) for wrong in example.wrong_answers)
        values["Complete and clean"][example.id] = float(clean and covered == 1.0)
        values["Answers covered"][example.id] = covered
        values["No wrong answer"][example.id] = float(clean)
        asserted = [w for w in example.wrong_answers if contains(said, w) and not (reply and _is_contested(reply, w))]
        values["All sides shown"][example.id] = float(covered == 1.0 and not asserted)
    return values


def token_f1(said: str, wanted: str) -> float:
    """Return the harmonic mean of token precision and recall, counted as bags of words (Rajpurkar et al. 2016).

    When one side has no tokens left after normalising, it is 1 if both have none, else 0.
    """
    one, two = normalise_answer(said).split(), normalise_answer(wanted).split()
    if not one or not two:
        return float(one == two)
    common = sum((Counter(one) & Counter(two)).values())
    return 2 * common / (len(one) + len(two))


def contains(said: str, wanted: str) -> bool:
    """Say whether the tokens of `wanted` stand in `said`, one after the other, after normalising both.

    So "23" is not contained in "1234". Yes and no must be the first word, since "no" stands in many a sentence. What
    has no tokens is contained in nothing.
    """
    one, two = normalise_answer(said).split(), normalise_answer(wanted).split()
    if len(two) == 1 and two[0] in _YES_NO:
        return one[:1] == two
    return bool(two) and f" {' '.join(two)} " in f" {' '.join(one)} "


def normalise_answer(text: str) -> str:
    """Return the text in lower case, without punctuation, English articles and double spaces, as SQuAD's script.

    Curly quotes, dashes and the signs of pound and euro, which that script leaves, count as punctuation.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _figures(reply: Reply, answers: Sequence[str]) -> tuple[float, float, float, float]:
    short = reply.short_answer or reply.text
    exact = any(normalise_answer(short) == normalise_answer(answer) for answer in answers)
    f1, text_f1 = (max(token_f1(said, answer) for answer in answers) for said in (short, reply.text))
    contained = any(contains(said, answer) for said in (short, reply.text) for answer in answers)
    return float(exact), f1, text_f1, float(contained)


def _is_contested(reply: Reply, answer: str) -> bool:
    """Say whether an answer is one of several positions that are set against each other."""
    return any(len(values) > 1 and any(contains(value, answer) for value in values) for values in reply.disagreements)


def _said(reply: Reply) -> str:
    # The sign outlives normalising, so that no answer is contained across two of them.
    positions = [value for values in reply.disagreements for value in values]
    return " ¶ ".join([reply.short_answer or "", reply.text, *positions])
