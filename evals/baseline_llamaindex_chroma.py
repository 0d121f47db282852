"""The standing baseline: the LlamaIndex starter over Chroma, with our encoder and nothing else of ours.

Its default splitter (`SentenceSplitter`, 1,024 tokens with 200 overlapping), title, outlet and date as metadata (which
LlamaIndex embeds with every chunk), `ChromaVectorStore`, dense top-k, `CitationQueryEngine`. Tokenizer and sentence
function are passed in, because the defaults load nltk data or a tokenizer over the network; with chunks this long they
decide next to nothing. Without a language model the engine only numbers its sources (of 512 tokens); the first is
then stated as the answer, word for word, since that is what a reader without a model has.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings as ChromaSettings
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import LLM, MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.response_synthesizers.no_text import NoText
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters
from llama_index.vector_stores.chroma import ChromaVectorStore

from corpus.sentences import split_sentences
from corpus.tokens_tiktoken import count_tokens
from corpus.types import Article, Span
from evals.adapt_llamaindex import locate, reply_of_response
from evals.judge_llamaindex import load_llm
from evals.types import Example, Reply, Retrieved, Stated
from index.types import Embedder

READ = 10  # chunks the engine reads: as many passages as Byline, though each is five times as long
DEPTH = 100  # chunks measured, so that articles can be ranked by their first one
_BATCH = 2_000  # nodes; `ChromaVectorStore.add` fails at 5,462
_VERSION = 1  # raise it when the index of an older version of this file must not be used again


class EncoderEmbedding(BaseEmbedding):
    """Lets LlamaIndex use one of our encoders."""

    encoder: Any

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self.encoder.embed_passages(texts).tolist()
        return rows

    def _get_query_embedding(self, query: str) -> list[float]:
        row: list[float] = self.encoder.embed_question(query).tolist()
        return row

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


class StarterSystem:
    """The starter, filled with articles.

    Args:
        index: Holds them.
        texts: Of the articles, by id.
        llm: Writes the answers; None states the first source.
        fingerprint: Of what is in the index.
    """

    name = "llamaindex"
    reads = True

    def __init__(self, index: VectorStoreIndex, texts: Mapping[str, str], llm: LLM | None, fingerprint: str) -> None:
        self._index = index
        self._texts = texts
        self._llm = llm
        self.fingerprint = f"{fingerprint}:{llm.metadata.model_name if llm else 'no-llm'}"

    def reply(self, example: Example) -> Reply:
        """Answer by the engine; its hits are fetched again, deeper than it reads."""
        filters = _filters(example.within)
        silent = MockLLM()  # anything but None keeps LlamaIndex from its global settings
        engine = CitationQueryEngine(
            self._index.as_retriever(similarity_top_k=READ, filters=filters),
            llm=self._llm or silent,
            response_synthesizer=None if self._llm else NoText(llm=silent),
            text_splitter=SentenceSplitter(chunk_size=512, chunk_overlap=20, **_OFFLINE),
        )
        clock, processor = time.perf_counter(), time.process_time()
        response = engine.query(example.question)
        latency_ms, cpu_s = (time.perf_counter() - clock) * 1000, time.process_time() - processor
        if self._llm and isinstance(response, Response):
            reply = reply_of_response(response, self._texts)
        else:
            reply = self._first_source(response.source_nodes)
        deep = self._index.as_retriever(similarity_top_k=DEPTH, filters=filters).retrieve(example.question)
        hits = tuple(_retrieved(found, self._texts) for found in deep)
        return replace(reply, hits=hits, latency_ms=latency_ms, cpu_s=cpu_s)

    def _first_source(self, sources: Sequence[NodeWithScore]) -> Reply:
        if not sources:
            return Reply(abstained=True)
        first = locate(1, sources[0], self._texts)
        confidence = min(1.0, max(0.0, float(sources[0].score or 0.0)))
        return Reply(statements=(Stated(first.quote, (1,)),), citations=(first,), confidence=confidence)


def open_starter(articles: Sequence[Article], encoder: Embedder, kept: Path, llm: str | None = None) -> StarterSystem:
    """Return the starter over these articles.

    Args:
        articles: What it indexes; embedded when the folder does not hold them yet.
        encoder: Passed to LlamaIndex as its embedding model.
        kept: Folder with one Chroma index for each set of articles and encoder.
        llm: `module:function` that gives a LlamaIndex LLM.
    """
    kept.mkdir(parents=True, exist_ok=True)
    settings = ChromaSettings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(kept))
    client = chromadb.PersistentClient(path=str(kept), settings=settings)
    name = _fingerprint(articles, encoder)
    complete = name in {collection.name for collection in client.list_collections()}
    collection = client.get_or_create_collection(
        name if complete else f"{name}-part", metadata={"hnsw:space": "cosine"}
    )
    store = ChromaVectorStore(chroma_collection=collection)
    embedding = EncoderEmbedding(encoder=encoder, model_name=encoder.fingerprint, embed_batch_size=64)
    index: VectorStoreIndex = VectorStoreIndex(
        nodes=[],
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=embedding,
        transformations=[],  # anything but None keeps LlamaIndex from its global settings
    )
    if not complete:
        nodes = split(articles)
        for start in range(0, len(nodes), _BATCH):
            index.insert_nodes(nodes[start : start + _BATCH])
        collection.modify(name=name)
    return StarterSystem(index, {article.id: article.text for article in articles}, load_llm(llm), name)


def split(articles: Sequence[Article]) -> list[TextNode]:
    """Cut articles by LlamaIndex's default splitter; ids are made of article and place, so that two runs agree."""
    splitter = SentenceSplitter(**_OFFLINE)
    documents = [Document(text=article.text, doc_id=article.id, metadata=_metadata(article)) for article in articles]
    nodes = [node for node in splitter.get_nodes_from_documents(documents) if isinstance(node, TextNode)]
    for place, node in enumerate(nodes):
        node.id_ = f"{node.ref_doc_id}:{place:06}"
    return nodes


def _metadata(article: Article) -> dict[str, str]:
    facts = {"title": article.title, "source": article.source, "published": article.published}
    return {name: str(fact) for name, fact in facts.items() if fact}


def _sentences(text: str) -> list[str]:
    """Return pieces that join up to the text, each ending with a sentence and the blanks after it."""
    starts = [span.start for span in split_sentences(text)][1:]
    return [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]


_OFFLINE: dict[str, Any] = {
    "tokenizer": lambda text: range(count_tokens(text)),
    "chunking_tokenizer_fn": _sentences,
}


def _filters(within: Sequence[str]) -> MetadataFilters | None:
    if not within:
        return None
    return MetadataFilters(filters=[MetadataFilter(key="ref_doc_id", value=list(within), operator=FilterOperator.IN)])


def _retrieved(found: NodeWithScore, texts: Mapping[str, str]) -> Retrieved:
    node = found.node
    article_id, content = str(node.ref_doc_id), node.get_content()
    # LlamaIndex finds the offsets by searching for the text, and so do we: they are the first place where it stands.
    start = max(0, texts[article_id].find(content))
    return Retrieved(article_id, Span(start, start + len(content)), found.get_score(), count_tokens(content))


def _fingerprint(articles: Sequence[Article], encoder: Embedder) -> str:
    facts = [_VERSION, encoder.fingerprint, [(article.id, article.version) for article in articles]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
