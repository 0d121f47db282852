"""Questions of the DEV sets and of what we wrote ourselves as the reader sees them, with what was judged: for the fit.

Questions of the tune part fit, questions of the test part only measure; news_multihop, whose articles the network never
saw, is halved by a hash of the question.
"""

from __future__ import annotations

import hashlib
import pickle
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.load import load_sources
from corpus.types import Span
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import EVERYTHING, Retriever
from index.types import Filters, Hit
from qa.evidence import FEATURES
from qa.passage_reading import PairScorer
from qa.read_extractive import MAX_READ, ExtractiveReader
from qa.reader_weights import GATE_FEATURES, RANK_FEATURES, ReaderWeights
from qa.training.rows import ASKED_NEWS, PLAIN, Asked, ChunkedSet, Part, load_asked_news, load_chunked, load_written
from qa.weighed import Weighed

Matrix = NDArray[np.float64]
GROUP_PATTERN = {"wiki_squad": "-", "clapnq": "", "news_multihop": "", ASKED_NEWS.name: "", PLAIN.name: "."}
OFF_TOPIC = {
    "wiki_squad": "clapnq",
    "clapnq": "news_multihop",
    "news_multihop": "wiki_squad",
    ASKED_NEWS.name: "clapnq",
    PLAIN.name: "wiki_squad",
}
# Of each part. The largest set would drown the others, and its articles are few; the figure of news_multihop bounds the
# time.
MAX_QUESTIONS = {"wiki_squad": 600, "clapnq": 300, "news_multihop": 400, ASKED_NEWS.name: 400, PLAIN.name: 600}
LIBRARY = {ASKED_NEWS.name: "news_multihop"}  # the set whose articles are asked, where it is another
MAX_OFF_TOPIC = 50  # of each part
# Questions of some sets are asked of so many articles: many begin with a few, where other scores are usual than in
# large libraries (retrieval scales them to the best hundred passages found). None for all.
SIZES = (2, 5, 20, None)
ASKED_OF_FEW = frozenset({ASKED_NEWS.name, PLAIN.name})
MIN_SAME_WORDS = 5  # characters; a shorter answer ("12") stands in another report by chance
# Sets that judge every sentence that would do. Our news with hard questions (written_news) would be one as well, but is
# like no library of a reader's: sentence weights fitted on it cost news_multihop 0.09 of its right sentences, a gate
# 0.04 of its right answers. Sentence weights are fitted on these.
JUDGES_ALL = frozenset({"wiki_squad", "clapnq", ASKED_NEWS.name, PLAIN.name})
SEED = 20261125


@dataclass(frozen=True, slots=True)
class Case:
    """One question as it was read, and which of its candidates lie on judged evidence.

    Args:
        holds: For each hit, the judged spans (by their place in `gold`) that its passage overlaps.
    """

    set_name: str
    part: Part
    asked: Asked
    weighed: Weighed
    right: NDArray[np.bool_]
    hits: tuple[Hit, ...]
    gold: tuple[tuple[str, int, int], ...]
    rank_rows: Matrix
    holds: tuple[frozenset[int], ...]

    @property
    def articles(self) -> tuple[str, ...]:
        """Return the article of each hit."""
        return tuple(hit.article.id for hit in self.hits)

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """Return which hits hold any judged span."""
        return np.array([bool(held) for held in self.holds])


def collect(data: Path, work: Path, network: PairScorer) -> list[Case]:
    """Read every question of both parts once; what was read is kept in the work folder, by the network's hash."""
    asked = {name: _choose(data, name) for name in GROUP_PATTERN}
    cases: list[Case] = []
    for name in GROUP_PATTERN:
        kept = work / f"{name}.{network.fingerprint.rsplit(':', 1)[-1]}.cases"
        if not kept.exists():
            strange = [(part, _off_topic(one)) for part, one in asked[OFF_TOPIC[name]]]
            rng = random.Random(f"{SEED}:{name}")
            strange = [
                one for part in Part for one in _sample([o for o in strange if o[0] is part], MAX_OFF_TOPIC, rng)
            ]
            kept.write_bytes(pickle.dumps(list(_read(data, work, name, [*asked[name], *strange], network))))
        cases += pickle.loads(kept.read_bytes())
    return cases


def _choose(data: Path, name: str) -> list[tuple[Part, Asked]]:
    of = _load(data, name)
    if name == "news_multihop":  # a question needs several articles: halves by question, not by article
        parted = [(Part.TUNE if is_even(one.id) else Part.TEST, one) for one in of.asked]
    else:
        parted = [(part, one) for part in (Part.TUNE, Part.TEST) for one in of.part(part)]
    if name == PLAIN.name:
        parted = [(part, _with_other_reports(one, of)) for part, one in parted]
    rng = random.Random(f"{SEED}:{name}")
    return [
        one
        for part in (Part.TUNE, Part.TEST)
        for one in _sample([pair for pair in parted if pair[0] is part], MAX_QUESTIONS[name], rng)
    ]


def _load(data: Path, name: str) -> ChunkedSet:
    if name == PLAIN.name:
        return load_written(PLAIN)
    if name == ASKED_NEWS.name:
        return load_asked_news(data)
    return load_chunked(data / name, group_pattern=GROUP_PATTERN[name])


def _with_other_reports(one: Asked, of: ChunkedSet) -> Asked:
    """Take as right also what another report of the event says in the same words."""
    said = [
        (article.id, Span(*found.span()))
        for article in of.articles.values()
        if article.id != one.article_id and of.group(article.id) == one.group
        for answer in one.answers
        if one.answerable and len(answer) >= MIN_SAME_WORDS
        for found in re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", article.text)
    ]
    return replace(one, elsewhere=tuple(said))


def _sample(pairs: Sequence[tuple[Part, Asked]], most: int, rng: random.Random) -> list[tuple[Part, Asked]]:
    return rng.sample(list(pairs), min(most, len(pairs)))


def is_even(name: str) -> bool:
    """Assign a name to one of two halves, by its hash."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 0


def _off_topic(one: Asked) -> Asked:
    return replace(one, answerable=False, spans=(), gold=(), kind="off_topic")


def _read(
    data: Path, work: Path, name: str, asked: Sequence[tuple[Part, Asked]], network: PairScorer
) -> Iterator[Case]:
    encoder = embedded_encoder()
    library = LIBRARY.get(name, name)
    folder = PLAIN if name == PLAIN.name else data / library
    corpus = next(folder.glob("corpus.jsonl*"))
    reader = ExtractiveReader(network, weights=blank_weights(), max_hits=MAX_READ)
    with open_index(work / library, encoder) as index:
        if not index.library.n_passages():
            add_articles(index, load_sources([corpus]))
        retriever = Retriever(index)
        ids = sorted(_load(data, name).articles) if name in ASKED_OF_FEW else []
        for done, (part, one) in enumerate(asked):
            hits = retriever.retrieve(one.question, k=MAX_READ, filters=_library_of(one, ids) if ids else EVERYTHING)
            weighed = reader.weigh(one.question, hits)
            if weighed is not None:
                yield make_case(name, part, one, hits, weighed)
            if done % 200 == 0:
                print(name, done, "of", len(asked), flush=True)  # noqa: T201  a script run by hand


def _library_of(one: Asked, ids: Sequence[str]) -> Filters:
    """Return which articles a question is asked of: its own with others, as many as its id draws."""
    rng = random.Random(f"{SEED}:library:{one.id}")
    size = rng.choice(SIZES)
    if size is None:
        return EVERYTHING
    own = [one.article_id] if one.article_id in ids else []
    return Filters(article_ids=(*own, *rng.sample([i for i in ids if i not in own], size - len(own))))


def make_case(name: str, part: Part, one: Asked, hits: Sequence[Hit], weighed: Weighed) -> Case:
    """Return a question as it was read, with which candidates and hits are judged right."""
    articles = tuple(hit.article.id for hit in hits)
    gold, elsewhere = (
        tuple((article, span.start, span.end) for article, span in places) for places in (one.gold, one.elsewhere)
    )
    right = [_is_right(articles[c.hit], c.span.start, c.span.end, gold + elsewhere) for c in weighed.candidates]
    holds = tuple(
        frozenset(
            place
            for place, (article, start, end) in enumerate(gold)
            if article == hit.article.id and start < hit.passage.span.end and hit.passage.span.start < end
        )
        for hit in hits
    )
    return Case(name, part, one, weighed, np.array(right), tuple(hits), gold, weighed.rank_rows(hits), holds)


def blank_weights() -> ReaderWeights:
    """Return weights that are not fitted yet."""
    zeros = np.zeros(len(FEATURES)), np.zeros(len(GATE_FEATURES))
    return ReaderWeights(*zeros, 0.0, np.zeros(len(RANK_FEATURES)), {"balanced": 0.0}, 0.0, 0.0)


def _is_right(article: str, start: int, end: int, gold: Sequence[tuple[str, int, int]]) -> bool:
    """Whether a sentence covers half of a judged span, or half of it lies on one."""
    shared = [(min(end, g_end) - max(start, g_start), g_end - g_start) for a, g_start, g_end in gold if a == article]
    return any(overlap > 0 and (2 * overlap >= size or 2 * overlap >= end - start) for overlap, size in shared)
