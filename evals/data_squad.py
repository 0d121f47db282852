"""SQuAD 1.1 and 2.0 JSON (Rajpurkar et al. 2016, 2018): each paragraph becomes an article."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError
from corpus.normalise import normalise_text
from corpus.types import Article, Span
from evals.data import EvalSet, merge_overlapping, stored_span
from evals.types import Example, GoldSpan


def load_squad(path: Path) -> EvalSet:
    """Read a file of SQuAD; any annotator's answer alone is enough evidence.

    Raises:
        ArticleFormatError: If it is not such a file, or an answer is not where it says.
    """
    articles: list[Article] = []
    examples: list[Example] = []
    try:
        for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for number, paragraph in enumerate(entry["paragraphs"]):
                title, context = entry["title"].replace("_", " "), paragraph["context"]
                article = Article(
                    id=f"{entry['title']}-{number:03}", title=title, text=normalise_text(context), id_given=True
                )
                articles.append(article)
                examples += [_example(row, article.id, context) for row in paragraph["qas"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ArticleFormatError(f"{str(path)!r} is not SQuAD JSON: {error}. Name a .json file of SQuAD.") from error
    return EvalSet(path.stem, path, tuple(examples), tuple(articles))


def _example(row: dict[str, Any], article_id: str, context: str) -> Example:
    impossible = row.get("is_impossible", False)
    places = [] if impossible else [(a["answer_start"], a["text"]) for a in row["answers"]]
    for start, text in places:
        if context[start : start + len(text)] != text:
            raise ArticleFormatError(f"The answer {text!r} of question {row['id']!r} is not at character {start}.")
    spans = [GoldSpan(article_id, stored_span(context, Span(start, start + len(text)))) for start, text in places]
    return Example(
        id=str(row["id"]),
        question=row["question"],
        answerable=not impossible,
        answers=tuple(dict.fromkeys(text for _, text in places)),
        gold_articles=() if impossible else (article_id,),
        gold_spans=merge_overlapping(spans),
        gold_sets=tuple((span,) for span in dict.fromkeys(spans)),
        type="unanswerable" if impossible else "span",
    )
