"""A stored answer JSON -> the `Answer` it was while its sources still stand, or what may still be shown of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.errors import ArticleNotFoundError
from corpus.types import Article, Passage, Span
from index.types import Hit, Signals
from qa.source_check import CheckedSource, SourceState, check_source
from qa.types import Abstention, Answer, Citation, Disagreement, Position, Statement, Support, Timings

if TYPE_CHECKING:
    from index.library import Library

NOT_SHOWN = "(This sentence is not shown: its article was removed.)"


@dataclass(frozen=True, slots=True)
class Recalled:
    """A stored answer as far as it may still be shown.

    Args:
        shown: The answer JSON without the words of articles that were removed.
        sources: Each of its citations compared with the articles of now, in their order.
        citations: Those that still slice back, in the version cited or in the one of now.
        answer: The whole answer; None when a citation of it no longer slices back anywhere.
    """

    shown: Mapping[str, Any]
    sources: tuple[CheckedSource, ...]
    citations: tuple[Citation, ...]
    answer: Answer | None


def recall_answers(stored: Sequence[Mapping[str, Any]], library: Library) -> list[Recalled]:
    """Return stored answers with their articles and passages, read from the library all at once."""
    articles = library.articles_by_id(sorted({each["article_id"] for answer in stored for each in answer["citations"]}))
    passages = library.passages_with_articles(
        sorted({hit["passage_id"] for answer in stored for hit in answer["hits"]})
    )
    return [_recall(answer, articles, passages, library) for answer in stored]


def without_removed(answer: Mapping[str, Any], removed: Collection[int]) -> dict[str, Any]:
    """Return an answer JSON in which nothing of what the citations `removed` say is left but titles."""
    if not removed:
        return dict(answer)
    gone = set(removed)
    statements = [
        {**each, "text": NOT_SHOWN, "problems": []} if gone.issuperset(each["citations"]) else each
        for each in answer["statements"]
    ]
    citations = [{**each, "quote": ""} if each["n"] in gone else each for each in answer["citations"]]
    naming = {each["n"] for each in answer["citations"] if each["answer_start"] is not None}
    said_by = naming or {each["n"] for each in answer["citations"]}
    return {
        **answer,
        "answer": " ".join(each["text"] for each in statements if each["text"] != NOT_SHOWN),
        "short_answer": None if said_by & gone else answer["short_answer"],
        "statements": statements,
        "citations": citations,
        "disagreements": [],  # what is left of them stands among the statements
    }


def _recall(
    answer: Mapping[str, Any],
    articles: Mapping[str, Article],
    passages: Mapping[str, tuple[Passage, Article]],
    library: Library,
) -> Recalled:
    sources = tuple(check_source(each, articles.get(each["article_id"])) for each in answer["citations"])
    citations = []
    for row, source in zip(answer["citations"], sources, strict=True):
        article = _cited_article(row, source, articles, library)
        if article is not None:
            citations.append(_citation(row, article))
    removed = {source.n for source in sources if source.state is SourceState.REMOVED}
    is_whole = len(citations) == len(sources)
    rebuilt = _answer(answer, tuple(citations), passages) if is_whole else None
    return Recalled(without_removed(answer, removed), sources, tuple(citations), rebuilt)


def _cited_article(
    row: Mapping[str, Any], source: CheckedSource, articles: Mapping[str, Article], library: Library
) -> Article | None:
    """Return the article in a version in which the citation slices back."""
    article = articles.get(row["article_id"])
    if article is None or source.state is SourceState.VALID:
        return article
    try:
        return library.version(row["article_id"], row["version"])
    except ArticleNotFoundError:  # former versions are not kept, unless somebody wants them
        return None


def _citation(row: Mapping[str, Any], article: Article) -> Citation:
    named = row["answer_start"] is not None
    return Citation(
        n=row["n"],
        article=article,
        passage_id=row["passage_id"],
        span=Span(row["start"], row["end"]),
        quote=row["quote"],
        answer_span=Span(row["answer_start"], row["answer_end"]) if named else None,
    )


def _answer(
    row: Mapping[str, Any],
    citations: tuple[Citation, ...],
    passages: Mapping[str, tuple[Passage, Article]],
) -> Answer:
    hits = (_hit(each, passages) for each in row["hits"])
    return Answer(
        question=row["question"],
        statements=tuple(
            Statement(each["text"], tuple(each["citations"]), Support(each["support"]), tuple(each["problems"]))
            for each in row["statements"]
        ),
        citations=citations,
        hits=tuple(hit for hit in hits if hit is not None),
        confidence=row["confidence"],
        reader=row["reader"],
        settings=row["settings"],
        standalone_question=row["standalone_question"],
        short_answer=row["short_answer"],
        abstention=Abstention(row["reason"]) if row["abstained"] else None,
        disagreements=tuple(
            Disagreement(
                each["about"], tuple(Position(side["value"], tuple(side["citations"])) for side in each["positions"])
            )
            for each in row["disagreements"]
        ),
        degraded=row["degraded"],
        timings_ms=Timings(**row["timings_ms"]),
        prompt_tokens=row["usage"]["prompt_tokens"],
        completion_tokens=row["usage"]["completion_tokens"],
        cost=row["usage"].get("cost"),
    )


def _hit(row: Mapping[str, Any], passages: Mapping[str, tuple[Passage, Article]]) -> Hit | None:
    """Return a hit as it was found; None when its passage is not in the library any more."""
    found = passages.get(row["passage_id"])
    if found is None or (found[0].span.start, found[0].span.end) != (row["start"], row["end"]):
        return None
    passage, article = found
    return Hit(
        row["rank"], passage, article, row["score"], Signals(**row["signals"]), copies=tuple(row.get("copies", ()))
    )
