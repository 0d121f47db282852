"""How fast articles are taken in: `python -m evals.benchmarks.ingest [--passages N] [--skip-llamaindex] [SOURCE...]`.

The reference is the bare encoder loop over the texts that are embedded, and LlamaIndex's `IngestionPipeline` into a
`ChromaVectorStore` with the same encoder, all in one run, because machines and their other work differ: compare the
ratios. The bare loop runs before and after ours, and its mean counts. Then the same articles again, unchanged, and one
edited article until a question finds it. The articles are those of the sources (a folder or a .jsonl.gz), the bundled
ones by default, repeated with other words where there are too few.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from corpus.chunk import chunk_article
from corpus.load import bundled_articles, load_sources
from corpus.types import Article
from evals.benchmarks.ingest_references_onnx_llama_chroma import embed_in_one_session, make_pipeline
from index.embed_onnx import EMBEDDED, OnnxEmbedder, embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import Retriever
from index.sentence_vectors import sentence_texts

SPLIT_TOKENS = 200  # as long as our passages at most, so that the starter embeds as much text


def main() -> None:
    """Print one line a way: seconds by wall and processor, passages a second, and the ratios."""
    options = _options()
    articles, texts, n_passages = _load(options.sources, options.passages)
    _say(f"{len(articles)} articles, {n_passages} passages, {len(texts)} embedded texts")
    encoder = embedded_encoder()
    encoder.embed_passages(texts[:8])  # reads the model
    _say(f"{'':<40}{'wall s':>9}{'CPU s':>9}{'passages/s':>12}{'x bare':>8}{'x bare CPU':>12}")
    with tempfile.TemporaryDirectory() as folder:
        before = _timed(lambda: encoder.embed_passages(texts))
        with open_index(Path(folder, "library"), encoder) as index:
            _ = index.vectors, index.lexical  # importing Chroma is not ingest, here and with LlamaIndex below
            ours = _timed(lambda: add_articles(index, articles))
            after = _timed(lambda: encoder.embed_passages(texts))
            bare = ((before[0] + after[0]) / 2, (before[1] + after[1]) / 2)
            _tell("bare encoder, 1 session a core", bare, bare, n_passages)
            _tell("ours", ours, bare, n_passages)
            again = _timed(lambda: add_articles(index, articles))
            _say(f"unchanged again, in memory: {len(articles) / again[0]:,.0f} articles/s")
            edited = replace(articles[0], text=articles[0].text + "\n\nA zeppelin landed in the harbour last night.")
            Retriever(index).retrieve("harbour")
            change = _timed(lambda: _change(index, edited))
            _say(f"one changed article, until it is found: {change[0]:.2f} s wall, {change[1]:.2f} s CPU")
        _tell("bare encoder, 1 session of 2 threads", _timed(lambda: embed_in_one_session(texts)), bare, n_passages)
        one = OnnxEmbedder(EMBEDDED, threads=1)
        _tell("bare encoder, 1 thread", _timed(lambda: one.embed_passages(texts)), bare, n_passages)
        if not options.skip_llamaindex:
            for name, tokens in (("default splitter", 1024), (f"{SPLIT_TOKENS} words", SPLIT_TOKENS)):
                run = make_pipeline(Path(folder, f"chroma-{tokens}"), articles, encoder, tokens)
                _tell(f"LlamaIndex, {name}", _timed(run), bare, n_passages)
    _say(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell(name: str, took: tuple[float, float], bare: tuple[float, float], n_passages: int) -> None:
    ratios = f"{bare[0] / took[0]:>8.2f}{bare[1] / took[1]:>12.2f}"
    _say(f"{name:<40}{took[0]:>9.2f}{took[1]:>9.2f}{n_passages / took[0]:>12.1f}{ratios}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--passages", type=int, default=2_000)
    parser.add_argument("--skip-llamaindex", action="store_true")
    return parser.parse_args()


def _load(sources: Sequence[str], n_wanted: int) -> tuple[list[Article], list[str], int]:
    found = [item for item in load_sources(sources or [bundled_articles()]) if isinstance(item, Article)]
    articles: list[Article] = []
    texts: list[str] = []
    n_passages = 0
    for article in _endless(found):
        if n_passages >= n_wanted:
            break
        articles.append(article)
        for passage in chunk_article(article):
            texts += sentence_texts(passage)
            n_passages += 1
    return articles, texts, n_passages


def _endless(articles: list[Article]) -> Iterator[Article]:
    """Yield the articles, then copies whose every paragraph begins otherwise, so that nothing is found in the cache."""
    yield from articles
    for copy in itertools.count(1):
        for article in articles:
            text = article.text.replace("\n\n", f"\n\nIn edition {copy}, ").replace(". ", f" {copy}. ")
            yield replace(article, id=f"{article.id}-{copy}", text=text, id_given=True)


def _change(index: object, edited: Article) -> None:
    from index.open import OpenIndex

    assert isinstance(index, OpenIndex)
    add_articles(index, [edited])
    hits = Retriever(index).retrieve("Where did the zeppelin land?")
    if hits[0].article.version != edited.version:
        raise RuntimeError("The edited article was not found first.")


def _timed(way: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
