"""The standing baseline: the LlamaIndex starter over Chroma, with our encoder and nothing else of ours.

Its default splitter (`SentenceSplitter`, 1,024 tokens with 200 overlapping), title, outlet and date as metadata (which
LlamaIndex embeds with every chunk), `ChromaVectorStore`, dense top-k. Tokenizer and sentence function are passed in,
because the defaults load nltk data or a tokenizer over the network; with chunks this long they decide next to nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings as ChromaSettings
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore

from corpus.sentences import split_sentences
from corpus.tokens_tiktoken import count_tokens
from corpus.types import Article, Span
from evals.types import Retrieved
from index.types import Embedder

DEPTH = 100  # chunks fetched, so that articles can be ranked by their first one
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


def make_baseline(articles: Sequence[Article], encoder: Embedder, kept: Path) -> Callable[[str], Sequence[Retrieved]]:
    """Return the starter's ranker: question -> up to 100 chunks, best first.

    Args:
        articles: What it indexes; embedded when the folder does not hold them yet.
        encoder: Passed to LlamaIndex as its embedding model.
        kept: Folder with one Chroma index for each set of articles and encoder.
    """
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
    retriever = index.as_retriever(similarity_top_k=DEPTH)
    texts = {article.id: article.text for article in articles}
    return lambda question: [_retrieved(found, texts) for found in retriever.retrieve(question)]


def split(articles: Sequence[Article]) -> list[TextNode]:
    """Cut articles by LlamaIndex's default splitter; ids are made of article and place, so that two runs agree."""
    splitter = SentenceSplitter(tokenizer=lambda text: range(count_tokens(text)), chunking_tokenizer_fn=_sentences)
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


def _retrieved(found: NodeWithScore, texts: dict[str, str]) -> Retrieved:
    node = found.node
    article_id, content = str(node.ref_doc_id), node.get_content()
    # LlamaIndex finds the offsets by searching for the text, and so do we: they are the first place where it stands.
    start = max(0, texts[article_id].find(content))
    return Retrieved(article_id, Span(start, start + len(content)), found.get_score(), count_tokens(content))


def _fingerprint(articles: Sequence[Article], encoder: Embedder) -> str:
    facts = [_VERSION, encoder.fingerprint, [(article.id, article.version) for article in articles]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
