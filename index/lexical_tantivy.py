"""BM25 over the words of header and passage, and over pairs of neighbouring words, by tantivy; disposable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from corpus.chunk import indexed_text
from corpus.errors import LibraryDamagedError
from corpus.types import Article, Passage
from index.types import Filters

FORMAT = 2  # raise it when the analysis or the schema changes: older indexes are then rebuilt
_ANALYSED = "analysed"  # what the fields hold is analysed here and only parted at blanks there
_WRITER_BYTES = 15_000_000  # the least that tantivy accepts for one thread
_LONGEST_TOKEN = 60  # characters; longer ones are URLs and base64, which nobody types
_ACRONYM = re.compile(r"\b(?:[^\W\d_]\.){2,}")  # "U.S." is indexed as "US", so that both spellings meet
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # "7,500" is indexed as "7500"
# Tantivy's k1 is fixed at 1.2; in passages this short, repeating a word says less than that. evals/RESULTS.md has the
# figures of both constants.
_MOST_REPEATS = 2
_PAIR_WEIGHT = 0.15  # of a pair of words against a word
# Words that carry a question but not its subject, and what an apostrophe leaves ("Rwanda's" -> "rwanda", "s").
# They are indexed, and used when a question has no others.
_STOP_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further had has have having he her here hers him his how i if in
into is it its me more most my no nor not of off on once only or other our ours out over own same she should so some
such than that the their theirs them then there these they this those through to too under until up very was we were
what when where which while who whom whose why will with would you your yours
d ll m re s t ve
"""


class TantivyLexical:
    """`LexicalIndex` in a tantivy folder of its own; the writer is open only while writing.

    Args:
        folder: Made when it is absent.

    Raises:
        LibraryDamagedError: If tantivy cannot read it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._schema = _schema()
        self._analyse = _analyser(stop_words=False)
        self._analyse_without_stop_words = _analyser(stop_words=True)
        self._stop_words = frozenset(self._analyse.analyze(_STOP_WORDS))
        with _in_our_words():
            self._index = tantivy.Index(self._schema, path=str(folder))
            self._index.register_tokenizer(_ANALYSED, TextAnalyzerBuilder(Tokenizer.whitespace()).build())

    def upsert(self, entries: Sequence[tuple[Passage, Article]]) -> None:
        """Store or replace the postings of these passages, visible when the call returns."""
        latest = {passage.id: (passage, article) for passage, article in entries}
        with self._writing() as writer:
            for passage_id, (passage, article) in latest.items():
                writer.delete_documents_by_term("id", passage_id)
                writer.add_document(self._document(passage, article))

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget these passages; unknown ids are no error."""
        with self._writing() as writer:
            for passage_id in passage_ids:
                writer.delete_documents_by_term("id", passage_id)

    def query(self, text: str, k: int, filters: Filters) -> list[tuple[str, float]]:
        """Return up to k (passage id, BM25 score), best first, ties by passage id.

        The text is a question in plain words: no character in it is query syntax. Each of its words counts as often
        as it occurs; words such as "which" count only when there are no others. Neighbours in the question that are
        neighbours in the passage add to the score (the sequential dependence of Metzler and Croft 2005).
        """
        prepared = prepare(text)
        tokens = self._analyse.analyze(prepared)
        if not tokens:
            return []
        terms = Counter(self._analyse_without_stop_words.analyze(prepared) or tokens)
        query = self._query(terms, Counter(self._pairs(tokens)), filters)
        with _in_our_words():
            searcher = self._index.searcher()
            limit = min(k + 1, max(searcher.num_docs, 1))
            while True:
                hits = searcher.search(query, limit, count=False).hits
                # Tantivy breaks ties by place, so all that tie with the k-th are fetched and ids decide.
                if len(hits) < limit or limit >= searcher.num_docs or hits[-1][0] < hits[k - 1][0]:
                    break
                limit *= 2
            pairs = [(str(searcher.doc(address)["id"][0]), float(score)) for score, address in hits]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]

    def has_words(self, text: str) -> bool:
        """Say whether anything of the text is indexed: not of an emoji, a row of stars or a line of base64."""
        return bool(self._analyse.analyze(prepare(text)))

    def count(self) -> int:
        """Return how many passages it holds."""
        with _in_our_words():
            return self._index.searcher().num_docs

    def ids(self) -> set[str]:
        """Return the ids of all passages it holds."""
        with _in_our_words():
            searcher = self._index.searcher()
            hits = searcher.search(Query.all_query(), max(searcher.num_docs, 1)).hits
            return {str(searcher.doc(address)["id"][0]) for _, address in hits}

    def close(self) -> None:
        """Do nothing: no file stays open for writing."""

    def _query(self, terms: Counter[str], pairs: Counter[str], filters: Filters) -> Query:
        scored = [(Occur.Should, self._term("text", term, float(n))) for term, n in terms.items()]
        scored += [(Occur.Should, self._term("pairs", pair, _PAIR_WEIGHT * n)) for pair, n in pairs.items()]
        words = Query.boolean_query(scored)
        musts = [(Occur.Must, Query.const_score_query(part, 0.0)) for part in self._filter_parts(filters)]
        return Query.boolean_query([(Occur.Must, words), *musts]) if musts else words

    def _term(self, field: str, term: str, weight: float) -> Query:
        query = Query.term_query(self._schema, field, term, "freq")
        return query if weight == 1.0 else Query.boost_query(query, weight)

    def _document(self, passage: Passage, article: Article) -> tantivy.Document:
        tokens = self._analyse.analyze(prepare(indexed_text(article, passage)))
        document = tantivy.Document()
        document.add_text("id", passage.id)
        document.add_text("article", article.id)
        document.add_text("text", " ".join(_thinned(tokens)))
        document.add_text("pairs", " ".join(_thinned(self._pairs(tokens))))
        if article.source:
            document.add_text("outlet", article.source.casefold())
        if article.published:
            document.add_integer("published", article.published.toordinal())
        return document

    def _pairs(self, tokens: Sequence[str]) -> list[str]:
        """Return neighbours joined to one term, without pairs such as "of the"."""
        return [f"{a}_{b}" for a, b in pairwise(tokens) if not (a in self._stop_words and b in self._stop_words)]

    def _filter_parts(self, filters: Filters) -> Iterator[Query]:
        if filters.outlets:
            yield Query.term_set_query(self._schema, "outlet", [outlet.casefold() for outlet in filters.outlets])
        if filters.article_ids:
            yield Query.term_set_query(self._schema, "article", list(filters.article_ids))
        if filters.since or filters.until:
            yield Query.range_query(
                self._schema,
                "published",
                tantivy.FieldType.Integer,
                filters.since.toordinal() if filters.since else None,
                filters.until.toordinal() if filters.until else None,
            )

    @contextmanager
    def _writing(self) -> Iterator[tantivy.IndexWriter]:
        with _in_our_words():
            writer = self._index.writer(_WRITER_BYTES, num_threads=1)
            try:
                yield writer
                writer.commit()
            finally:
                writer.wait_merging_threads()  # also lets go of tantivy's own lock
            self._index.reload()


def prepare(text: str) -> str:
    """Return the text with acronyms and grouped digits written as one word, before the analyser sees it."""
    return _THOUSANDS.sub("", _ACRONYM.sub(lambda found: found[0].replace(".", ""), text))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("article", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("outlet", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("published", indexed=True, fast=True)  # days since 1 January of year 1
    builder.add_text_field("text", tokenizer_name=_ANALYSED, index_option="freq")
    builder.add_text_field("pairs", tokenizer_name=_ANALYSED, index_option="freq")
    return builder.build()


def _analyser(*, stop_words: bool) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(Tokenizer.simple())
    builder = builder.filter(Filter.remove_long(_LONGEST_TOKEN)).filter(Filter.lowercase()).filter(Filter.ascii_fold())
    if stop_words:
        builder = builder.filter(Filter.custom_stopword(_STOP_WORDS.split()))
    return builder.filter(Filter.stemmer("english")).build()


def _thinned(terms: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for term in terms:
        seen[term] += 1
        if seen[term] <= _MOST_REPEATS:
            yield term


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn tantivy's errors into ours: ValueErrors, OSErrors, and panics, which are BaseExceptions."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, ValueError | OSError) and type(error).__name__ != "PanicException":
            raise
        raise LibraryDamagedError(
            f"The lexical index failed ({type(error).__name__}: {error}). Mend it with: byline doctor --repair"
        ) from error
