"""Read the DEV sets, and mine wrong passages with the product's own retriever: everything training draws from."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from corpus.load import load_sources
from corpus.normalise import normalise_text
from corpus.types import Passage
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import Retriever
from qa.reading_input import make_header
from qa.training.mix import Pool, asked_rows, cloze_rows
from qa.training.rows import (
    CONTRAST,
    PLAIN,
    QUERIES,
    WRITTEN,
    Asked,
    ChunkedSet,
    Part,
    Row,
    load_asked_news,
    load_chunked,
    load_written,
)
from qa.training.statements import claims_clapnq, claims_scifact, claims_wice, claims_written, made_statements

N_WRONG = 12  # passages looked at for each question; those that hold none of its answers are kept
MIN_CLOZE_CHARS = 200  # a shorter passage hardly has two sentences
MADE_STATEMENTS = 1_400  # a pass
WRITTEN_STATEMENTS = 300  # of these out of the news written to be learned from
WRONG_SHARE_REWORDED = 0.5  # of the questions in other words, and about real news, that come again over a wrong passage
SPOILED_SHARE_BALANCED = 0.2  # of the questions that are drawn anew to balance them; see `mix.SPOILED_SHARE`
MOST_OPEN = 2  # passages of its article that a question without an answer is shown with, likewise
Balance = Callable[[Sequence[Row], random.Random], list[Row]]
CLOZE_A_PASS = 1_000  # beside the judged questions, so that they are not learned by heart


def gather(data: Path, work: Path, part: Part = Part.TRAIN) -> Pool:
    """Read what may be learned from: wiki_squad, clapnq, scifact, wice and, as bare text, wiki_multihop.

    Args:
        data: Folder of the sets.
        work: Libraries for mining and what was mined are kept here.
        part: Only questions of this part, and no text of the articles of another.
    """
    squad = load_chunked(data / "wiki_squad", group_pattern="-")
    clapnq = load_chunked(data / "clapnq")
    scifact = load_chunked(data / "scifact")
    asked = [(of, one) for of in (squad, clapnq) for one in of.part(part)]
    wrong = {of.name: _mine(of, data, work) for of in (squad, clapnq)}
    by_id = {name: passages for found in wrong.values() for name, passages in found.items()}
    cloze = [*_texts(squad, part), *_texts(clapnq, part), *_texts(load_chunked(data / "wiki_multihop"), None)]
    support = [*claims_scifact(data / "scifact", scifact, part), *claims_wice(data / "faithfulness_wice", part)]
    support += claims_clapnq(clapnq, random.Random(f"claims:{part}"), part)
    texts = [passage.text for _, passage in cloze]
    return Pool((squad, clapnq), asked, by_id, support, cloze, texts)


def gather_written(
    work: Path, folders: Sequence[Path] = (WRITTEN,), part: Part = Part.TRAIN, questions: str = QUERIES
) -> Pool:
    """Read what was written for this project to learn from; the questions come over a wrong passage as well."""
    sets = [load_written(folder, questions) for folder in folders]
    if questions != QUERIES:  # the statements belong to the articles, not to each file of questions
        return _pool(sets, WRITTEN.parent, work, part, WRONG_SHARE_REWORDED)
    support = [row for of in sets for row in claims_written(of, part, random.Random(f"claims:{part}"))]
    return replace(_pool(sets, WRITTEN.parent, work, part, 1.0), support=support)


def gather_asked_news(data: Path, work: Path, part: Part = Part.TRAIN, questions: str = QUERIES) -> Pool:
    """Read our own questions about real news; they come over a wrong passage as well."""
    return _pool([load_asked_news(data, questions)], data, work, part, WRONG_SHARE_REWORDED)


def gather_contrast(data: Path, work: Path, part: Part = Part.TRAIN) -> tuple[Pool, ...]:
    """Read the contrast pairs, those about what was written for this project and those about real news.

    None is spoiled: the other question of its pair is there already.
    """
    written = gather_written(work, (WRITTEN, PLAIN), part, CONTRAST)
    real = gather_asked_news(data, work, part, CONTRAST)
    return tuple(replace(pool, most_open=1, spoiled_share=0.0) for pool in (written, real))


def _pool(sets: Sequence[ChunkedSet], data: Path, work: Path, part: Part, wrong_share: float) -> Pool:
    asked = [(of, one) for of in sets for one in of.part(part)]
    cloze = [text for of in sets for text in _texts(of, part)]
    mined = [_mine(of, data, work, within_article=True) for of in sets]
    wrong = {name: passages for found in mined for name, passages in found.items()}
    return Pool(sets, asked, wrong, (), cloze, [passage.text for _, passage in cloze], wrong_share=wrong_share)


def judged_stage(pool: Pool, seed: str) -> list[Row]:
    """Return one pass over the judged questions and statements, with made ones beside them."""
    rng = random.Random(seed)
    rows = [*asked_rows(pool, rng), *cloze_rows(pool, CLOZE_A_PASS, rng), *pool.support]
    return [*rows, *made_statements(pool, MADE_STATEMENTS, rng)]


def written_stage(pool: Pool, written: Pool, seed: str) -> list[Row]:
    """Return one pass over what was written to be learned from, and half a pass over what was learned before."""
    rng = random.Random(f"written:{seed}")
    rows = [*asked_rows(written, rng), *cloze_rows(written, CLOZE_A_PASS, rng), *written.support]
    rows += made_statements(written, WRITTEN_STATEMENTS, rng)
    before = judged_stage(pool, seed)
    return [*rng.sample(before, len(before) // 2), *rows]


def reworded_stage(pool: Pool, written: Pool, new: Sequence[Pool], seed: str) -> list[Row]:
    """Return one pass over the questions of `new`, and a third as many rows of what was learned before."""
    rng = random.Random(f"reworded:{seed}")
    rows = [row for one in new for row in asked_rows(one, rng)]
    judged, plain = judged_stage(pool, seed), list(asked_rows(written, rng))
    rows += rng.sample(judged, min(len(judged), len(rows) // 6)) + rng.sample(plain, min(len(plain), len(rows) // 7))
    return [*rows, *rng.sample(list(written.support), min(len(written.support), len(rows) // 30))]


def contrast_stage(
    pool: Pool, written: Sequence[Pool], contrast: Sequence[Pool], balance: Balance, seed: str
) -> list[Row]:
    """Return one pass over the contrast pairs, and over everything else written, balanced; a tenth of what was before.

    Args:
        pool: What was judged by others.
        written: Everything that was written for this project but the pairs, `pool.support` of the first included.
        contrast: The pairs.
        balance: Draws rows anew so that the question alone does not tell whether it is answered.
        seed: Of all that is drawn.
    """
    rng = random.Random(f"contrast:{seed}")
    drawn = [replace(one, spoiled_share=SPOILED_SHARE_BALANCED, most_open=MOST_OPEN) for one in written]
    rows = balance([row for one in drawn for row in asked_rows(one, rng)], rng)
    judged, support = judged_stage(pool, seed), list(written[0].support)
    rows += rng.sample(judged, min(len(judged), len(rows) // 12)) + rng.sample(
        support, min(len(support), len(rows) // 35)
    )
    return [*rows, *(row for one in contrast for row in asked_rows(one, rng))]


def made_stage(pool: Pool, n: int, seed: str) -> list[Row]:
    """Return n rows of questions made by rule, with some made statements."""
    rng = random.Random(seed)
    return [*cloze_rows(pool, n, rng), *made_statements(pool, n // 8, rng)]


def _texts(of: ChunkedSet, part: Part | None) -> list[tuple[str, Passage]]:
    """Return headers and passages of a set, without articles whose questions belong to another part."""
    others = set() if part is None else {one.group for p in Part if p is not part for one in of.part(p)}
    kept = []
    for name, passages in of.passages.items():
        if of.group(name) in others:
            continue
        header = make_header(of.articles[name])
        kept += [(header, passage) for passage in passages if len(passage.text) >= MIN_CLOZE_CHARS]
    return kept


def _mine(
    of: ChunkedSet, data: Path, work: Path, *, within_article: bool = False
) -> dict[str, list[tuple[str, Passage]]]:
    """Return, by question id, retrieved passages that hold none of its answers.

    Args:
        of: The set.
        data: Where its folder lies.
        work: What was mined is kept here.
        within_article: Whether other passages of the judged article are wrong as well.
    """
    kept = work / (f"{of.name}.wrong.json" if of.questions == QUERIES else f"{of.name}.{of.questions}.wrong.json")
    by_id = {passage.id: passage for passages in of.passages.values() for passage in passages}
    if not kept.exists():
        kept.write_text(json.dumps(_retrieve_wrong(of, data, work, within_article)), encoding="utf-8")
    mined = json.loads(kept.read_text(encoding="utf-8"))
    return {
        name: [(make_header(of.articles[by_id[i].article_id]), by_id[i]) for i in ids if i in by_id]
        for name, ids in mined.items()
    }


def _retrieve_wrong(of: ChunkedSet, data: Path, work: Path, within_article: bool) -> dict[str, list[str]]:
    encoder = embedded_encoder()
    corpus = next(path for path in (data / of.name).glob("corpus.jsonl*"))
    mined: dict[str, list[str]] = {}
    with open_index(work / of.name, encoder) as index:
        if not index.library.n_passages():
            add_articles(index, load_sources([corpus]))
        retriever = Retriever(index)
        for one in of.asked:
            hits = retriever.retrieve(one.question, k=N_WRONG)
            mined[one.id] = [hit.passage.id for hit in hits if _is_wrong(of, one, hit.passage, within_article)]
    return mined


def _is_wrong(of: ChunkedSet, one: Asked, passage: Passage, within_article: bool) -> bool:
    if passage.article_id == one.article_id:
        here = passage.span
        if not within_article or any(s.start < here.end and here.start < s.end for s in one.spans):
            return False
    elif of.group(passage.article_id) == one.group:
        return False  # another report of the same event may well answer
    text = normalise_text(passage.text).lower()
    return not any(answer.lower() in text for answer in one.answers)
