"""Statements over passages, with whether the passage supports them: judged ones, and ones made by rule."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus.sentences import split_sentences
from corpus.types import Span
from qa.mentions import find_mentions
from qa.reading_input import make_header
from qa.training.mix import Pool, spans_within
from qa.training.questions import spoil_statement
from qa.training.rows import WRITTEN, ChunkedSet, Part, Row, read_rows
from qa.words import split_words

_WH_PHRASE = re.compile(
    r"\b(?:in |on |at |by |from |to |of |for )?(?:what|which|whose)(?: \w+)?"
    r"|\b(?:who|whom|when|where|how many|how much|why|how)\b",
    re.IGNORECASE,
)
_PAD_SENTENCES = 1  # on each side of a judged sentence, as a passage would have
_MAX_PASSAGE_CHARS = 900


def made_statements(pool: Pool, n: int, rng: random.Random) -> Iterator[Row]:
    """Yield about n statements made out of questions with their answers, and out of sentences, half of them spoiled."""
    answerable = [(of, one) for of, one in pool.asked if one.answerable and one.spans and of.marks_answers]
    for of, one in rng.sample(answerable, min(len(answerable), n // 2)):
        article = of.articles[one.article_id]
        passage = next((p for p in of.passages[one.article_id] if spans_within(one, p)), None)
        if passage is None:
            continue
        answer = rng.choice(one.answers)
        other = _other_answer(passage.text, answer, rng)
        right = other is None or rng.random() < 0.5
        text = state(one.question, answer if right else str(other))
        yield Row(text, make_header(article), passage.text, supported=right)
    for _ in range(n // 2):
        header, passage = rng.choice(pool.cloze_passages)
        sentence = rng.choice(passage.sentences)
        text = Span(sentence.start - passage.span.start, sentence.end - passage.span.start).slice(passage.text)
        text = " ".join(word for word in text.split() if rng.random() >= rng.choice((0.0, 0.1, 0.2)))
        spoiled = spoil_statement(text, "", rng.sample(pool.texts, 3), rng) if rng.random() < 0.5 else None
        rest = passage.text
        if spoiled is None and rng.random() < 0.3:  # the sentence itself is gone, and with it what supported it
            rest = passage.text.replace(sentence_text(passage.text, sentence, passage.span.start), " ").strip()
        if rest:
            yield Row(spoiled or text, header, rest, supported=spoiled is None and rest == passage.text)


def sentence_text(text: str, sentence: Span, start: int) -> str:
    """Return a sentence of a passage whose text begins at `start` of its article."""
    return text[sentence.start - start : sentence.end - start]


def state(question: str, answer: str) -> str:
    """Put the answer where the question word stands: crude English, but the words of a statement."""
    stated = _WH_PHRASE.sub(lambda _: answer, question.rstrip("? "), count=1)
    return f"{stated}." if stated != question.rstrip("? ") else f"{stated}: {answer}."


def claims_scifact(folder: Path, of: ChunkedSet, part: Part) -> Iterator[Row]:
    """Yield SciFact claims over the passages of their abstract: supported, or contradicted or undecided."""
    parts = of.parts()
    by_id = {one.id: one for one in of.asked}
    for row in read_rows(folder, "queries"):
        one = by_id[str(row["id"])]
        if parts[one.group] is not part or one.article_id not in of.articles:
            continue
        supports = row["answers"] == ["SUPPORT"]
        for passage in of.passages[one.article_id]:
            holds = any(passage.span.start <= s.start < passage.span.end for s in one.spans)
            if holds or not row["answerable"]:
                header = make_header(of.articles[one.article_id])
                yield Row(one.question, header, passage.text, supported=supports and holds)


def claims_wice(folder: Path, part: Part) -> Iterator[Row]:
    """Yield WiCE claims over their evidence with its neighbours; only full support counts as support."""
    items = list(read_rows(folder, "items"))
    for item in items:
        if _item_part(item["id"]) is not part:
            continue
        sentences = [sentence for passage in item["passages"] for sentence in passage["sentences"]]
        title = item["passages"][0].get("title") or ""
        sets = item["evidence_sets"] or [_most_alike(item["claim"], sentences)]
        for chosen in sets[:2]:
            around = sorted({i + d for i in chosen for d in range(-_PAD_SENTENCES, _PAD_SENTENCES + 1)})
            text = " ".join(sentences[i] for i in around if 0 <= i < len(sentences))[:_MAX_PASSAGE_CHARS].strip()
            if text:
                yield Row(item["claim"], title, text, supported=item["label"] == "supported")


def claims_written(of: ChunkedSet, part: Part, rng: random.Random) -> Iterator[Row]:
    """Yield the statements written about our own news over their passage, and as many that share words the other way.

    As written, what is not supported shares more words with the article than what is, which alone would teach that
    shared words speak against a statement. So a supported one comes again over another passage of its article (not
    supported, few words shared), and beside one that is not supported comes the sentence that it distorts (supported).
    """
    parts = of.parts()
    for row in read_rows(WRITTEN.parent / of.name, "statements"):
        article, start = of.articles[row["doc"]], row["start"]
        if parts[of.group(article.id)] is not part:
            continue
        header, passages = make_header(article), of.passages[article.id]
        passage = next(p for p in passages if p.span.start <= start < p.span.end)
        yield Row(row["text"], header, passage.text, supported=row["supported"])
        if not row["supported"]:
            sentence = next(span for span in passage.sentences if start < span.end)
            yield Row(sentence.slice(article.text), header, passage.text, supported=True)
        elif others := [p for p in passages if p.span.end <= start or row["end"] <= p.span.start]:
            yield Row(row["text"], header, rng.choice(others).text, supported=False)


def claims_clapnq(of: ChunkedSet, rng: random.Random, part: Part) -> Iterator[Row]:
    """Yield the sentences of human answers over their own passage (supported) and over another (not)."""
    chosen = [one for one in of.part(part) if one.answerable]
    for one in chosen:
        article = of.articles[one.article_id]
        answer = rng.choice(one.answers)
        for span in split_sentences(answer)[:3]:
            sentence = span.slice(answer)
            passage = max(of.passages[one.article_id], key=lambda p: _shared(sentence, p.text))
            if len(sentence.split()) > 3:
                yield Row(sentence, make_header(article), passage.text, supported=True)
                spoiled = spoil_statement(sentence, "", [article.text], rng)
                if spoiled:
                    yield Row(spoiled, make_header(article), passage.text, supported=False)


def _item_part(item_id: str) -> Part:
    place = random.Random(f"wice:{item_id}").random()
    return Part.TRAIN if place < 0.5 else Part.TUNE if place < 0.65 else Part.TEST


def _most_alike(claim: str, sentences: Sequence[str]) -> list[int]:
    ranked = sorted(range(len(sentences)), key=lambda i: -_shared(claim, sentences[i]))
    return ranked[:2]


def _shared(left: str, right: str) -> float:
    ours = {word.stem for word in split_words(left) if not word.is_stop}
    theirs = {word.stem for word in split_words(right)}
    return len(ours & theirs) / len(ours) if ours else 0.0


def _other_answer(passage: str, answer: str, rng: random.Random) -> str | None:
    kinds = {mention.kind for mention in find_mentions(answer)}
    held = [m.span.slice(passage) for m in find_mentions(passage) if m.kind in kinds]
    held = [text for text in held if text.lower() not in answer.lower() and answer.lower() not in text.lower()]
    return rng.choice(held) if held else None
