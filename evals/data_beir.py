"""A BEIR folder: corpus.jsonl, queries.jsonl, qrels/*.tsv (Thakur et al. 2021)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from corpus.errors import ArticleFormatError, EmptyCorpusError
from corpus.normalise import normalise_text
from corpus.types import Article
from evals.data import EvalSet, find_rows, read_rows
from evals.types import Example

SPLITS = ("test", "dev", "train")  # the first that is there is taken: published figures are of test


def load_beir(folder: Path) -> EvalSet:
    """Read the judged questions of one split and the whole corpus.

    Judgements above 0 are relevant, with their grade. Questions without any are left out, as in the official script.
    A document without text is its title; one without either keeps its id, so that it stays in the corpus.

    Raises:
        EmptyCorpusError: If there is no split of qrels.
        ArticleFormatError: If a row lacks a field or a judgement is not a whole number.
    """
    split = next((path for name in SPLITS if (path := folder / "qrels" / f"{name}.tsv").exists()), None)
    if split is None:
        raise EmptyCorpusError(f"{str(folder / 'qrels')!r} holds none of {', '.join(f'{n}.tsv' for n in SPLITS)}.")
    judged = _read_qrels(split)
    try:
        articles = tuple(_article(row) for row in read_rows(find_rows(folder, "corpus")))
        texts = {str(row["_id"]): row["text"] for row in read_rows(find_rows(folder, "queries"))}
        examples = tuple(
            Example(
                id=name,
                question=texts[name],
                answerable=True,
                gold_articles=tuple(grades),
                grades=tuple(grades.values()),
            )
            for name, grades in judged.items()
        )
    except KeyError as error:
        raise ArticleFormatError(f"A row of {str(folder)!r} lacks {error} or is not in queries.jsonl.") from error
    return EvalSet(folder.resolve().name, folder, examples, articles)


def _article(row: dict[str, str]) -> Article:
    name = str(row["_id"])
    title, text = normalise_text(row.get("title") or ""), normalise_text(row.get("text") or "")
    return Article(id=name, title=title or text[:80] or name, text=text or title or name, id_given=True)


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("\t")
        if number == 1 and parts[-1] == "score" or not line.strip():
            continue
        try:
            question, name, grade = parts
            if int(grade) > 0:
                judged[question][name] = int(grade)
        except ValueError as error:
            raise ArticleFormatError(
                f"Line {number} of {str(path)!r} is not question, document and score between tabs."
            ) from error
    return dict(judged)
