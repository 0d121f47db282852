"""What the network learns from: the rows of one pass over the data, drawn anew for every pass from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from corpus.types import Passage
from qa.reading_input import make_header
from qa.training.questions import make_cloze, recurring_clozes, roughen, spoil_question
from qa.training.rows import Asked, ChunkedSet, Row

BARE_SHARE = 0.15  # of the rows that show no header, so that the network does not lean on it
SPOILED_SHARE = 0.35  # of the answerable questions that come again with one detail changed
WRONG_SHARE = 0.45  # of the answerable questions that come again over a passage that was retrieved but does not answer


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything rows are drawn from.

    Args:
        wrong: By question id, passages that retrieval found and that hold none of its answers.
        support: Statements over passages with a judgement; all of them come in every pass.
        cloze_passages: Passages that questions may be made of.
        wrong_share: Of the questions that come again over a passage of `wrong`.
        spoiled_share: Of the answerable questions that come again with one detail changed.
        most_open: Passages of its article that a question without an answer is shown with; all when None. A question
            with an answer is shown with one, so more would teach that its wording is a sign of no answer.
    """

    sets: Sequence[ChunkedSet]
    asked: Sequence[tuple[ChunkedSet, Asked]]
    wrong: Mapping[str, Sequence[tuple[str, Passage]]]
    support: Sequence[Row]
    cloze_passages: Sequence[tuple[str, Passage]]
    texts: Sequence[str] = field(default=())
    wrong_share: float = WRONG_SHARE
    spoiled_share: float = SPOILED_SHARE
    most_open: int | None = None


def asked_rows(pool: Pool, rng: random.Random) -> Iterator[Row]:
    """Yield every judged question over its passage, and the same questions where they find no answer."""
    by_title: dict[str, list[str]] = {}
    for of in pool.sets:
        for article in of.articles.values():
            by_title.setdefault(article.title, []).append(article.text)
    for of, one in pool.asked:
        article = of.articles[one.article_id]
        header = make_header(article)
        siblings = by_title[article.title]
        shown = list(of.passages[one.article_id])
        if not one.answerable and pool.most_open is not None:
            shown = rng.sample(shown, min(len(shown), pool.most_open))
        for passage in shown:
            spans = spans_within(one, passage)
            if one.answerable and not spans:
                continue
            spans = spans if of.marks_answers else ()
            yield _row(one.question, header, passage.text, spans, one.answerable, rng)
            if one.answerable and rng.random() < pool.spoiled_share:
                spoiled = spoil_question(one.question, passage.text, siblings, rng)
                if spoiled:
                    yield _row(spoiled, header, passage.text, (), False, rng)
        if pool.wrong.get(one.id) and rng.random() < pool.wrong_share:
            wrong_header, passage = rng.choice(list(pool.wrong[one.id]))
            yield _row(one.question, wrong_header, passage.text, (), False, rng)


def cloze_rows(pool: Pool, n: int, rng: random.Random) -> Iterator[Row]:
    """Yield up to n rows with questions made by rule: two thirds cloze and spoiled cloze, one third recurring spans."""
    header_of = {passage.id: header for header, passage in pool.cloze_passages}
    passages = [passage for _, passage in pool.cloze_passages]
    chosen = rng.sample(passages, min(len(passages), 3_000))
    recurring = list(recurring_clozes(chosen, rng))
    for cloze in rng.sample(recurring, min(len(recurring), n // 3)):
        spans = ((cloze.start, cloze.end),)
        yield _row(cloze.question, header_of[cloze.passage.id], cloze.passage.text, spans, True, rng)
    done = n // 3
    while done < n:
        passage = rng.choice(passages)
        made = make_cloze(passage, rng)
        if made is None:
            continue
        done += 1
        header = header_of[passage.id]
        if rng.random() < 0.3:
            spoiled = spoil_question(made.question, passage.text, rng.sample(pool.texts, 3), rng)
            if spoiled:
                yield _row(spoiled, header, passage.text, (), False, rng)
                continue
        yield _row(made.question, header, passage.text, ((made.start, made.end),), True, rng)


def spans_within(one: Asked, passage: Passage) -> tuple[tuple[int, int], ...]:
    """Return the judged spans that lie wholly in a passage, in offsets of its text."""
    inside = [span for span in one.spans if passage.span.contains(span)]
    return tuple((span.start - passage.span.start, span.end - passage.span.start) for span in inside)


def _row(
    question: str,
    header: str,
    passage: str,
    spans: tuple[tuple[int, int], ...],
    answerable: bool,
    rng: random.Random,
) -> Row:
    shown = "" if rng.random() < BARE_SHARE else header
    return Row(roughen(question, rng), shown, passage, spans, answerable)
