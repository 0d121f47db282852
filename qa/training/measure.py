"""How well a network reads when it is given the right paragraph: EM, F1, right sentence, answerability AUROC."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.types import Span
from qa.answer_spans import best_spans
from qa.network_onnx import Logits
from qa.reading_input import ReadingInput, make_header, make_input
from qa.training.rows import Asked, ChunkedSet

Network = Callable[[ReadingInput], Logits]
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True, slots=True)
class ReadParagraph:
    """What a network made of one question over its paragraph."""

    asked: Asked
    span: Span
    text: str
    score: float
    chance: float


def read_paragraphs(of: ChunkedSet, asked: Sequence[Asked], network: Network) -> list[ReadParagraph]:
    """Read each question over all passages of its own paragraph; the best sentence's best span is the answer."""
    results = []
    for one in asked:
        article = of.articles[one.article_id]
        found = []
        for passage in of.passages[one.article_id]:
            given = make_input(one.question, make_header(article), passage.text)
            logits = network(given)
            offset = passage.span.start
            bounds = [Span(sentence.start - offset, sentence.end - offset) for sentence in passage.sentences]
            for best in best_spans(given, logits.spans, passage.text, bounds):
                if best:
                    span = Span(offset + best.span.start, offset + best.span.end)
                    found.append((best.score, span, logits.answerable))
        score, span, verdict = max(found)
        results.append(ReadParagraph(one, span, span.slice(article.text), score, verdict))
    return results


def figures(read: Sequence[ReadParagraph], of: ChunkedSet) -> dict[str, float]:
    """Return EM and F1 as SQuAD defines them, the right-sentence share, and AUROC of score and verdict."""
    answered = [one for one in read if one.asked.answerable]
    hard = [one for one in read if one.asked.kind == "squad2"]
    labels = np.array([one.asked.answerable for one in hard])
    right = [_right_sentence(one, of) for one in answered]
    return {
        "questions": len(read),
        "answerable": len(answered),
        "em": float(np.mean([max(exact(one.text, a) for a in one.asked.answers) for one in answered])),
        "f1": float(np.mean([max(token_f1(one.text, a) for a in one.asked.answers) for one in answered])),
        "sentence": float(np.mean(right)),
        "auroc_span": auroc(np.array([one.score for one in hard]), labels),
        "auroc_verdict": auroc(np.array([one.chance for one in hard]), labels),
        "auroc_sum": auroc(np.array([one.chance + 0.5 * one.score for one in hard]), labels),
    }


def exact(given: str, gold: str) -> float:
    """Return 1.0 when the answers are the same but for case, articles and punctuation (SQuAD's exact match)."""
    return float(_words(given) == _words(gold))


def token_f1(given: str, gold: str) -> float:
    """Return SQuAD's word F1 of two answers."""
    ours, theirs = _words(given), _words(gold)
    if not ours or not theirs:
        return float(ours == theirs)
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs))


def auroc(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return the chance that a positive scores above a negative (ties count half); NaN without both."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        same = scores == value
        ranks[same] = ranks[same].mean()
    n = int(labels.sum())
    if not 0 < n < len(labels):
        return float("nan")
    return float((ranks[labels].sum() - n * (n + 1) / 2) / (n * (len(labels) - n)))


def _right_sentence(one: ReadParagraph, of: ChunkedSet) -> bool:
    sentences = [s for passage in of.passages[one.asked.article_id] for s in passage.sentences]
    cited = next((s for s in sentences if s.start <= one.span.start < s.end), None)
    return cited is not None and any(cited.start <= gold.start < cited.end for gold in one.asked.spans)


def _words(answer: str) -> list[str]:
    plain = "".join(c for c in answer.lower() if c not in string.punctuation)
    return _ARTICLES.sub(" ", plain).split()
