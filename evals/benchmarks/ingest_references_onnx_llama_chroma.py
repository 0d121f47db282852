"""What ingest is measured against: one encoder session of two threads, and LlamaIndex's pipeline into Chroma."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import chromadb
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from chromadb.config import Settings
from llama_index.core import Document
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.vector_stores.chroma import ChromaVectorStore
from tokenizers import Tokenizer

from corpus.sentences import split_sentences
from corpus.types import Article
from evals.baseline_llamaindex_chroma import EncoderEmbedding
from index.embed_onnx import EMBEDDED, OnnxEmbedder


def embed_in_one_session(texts: Sequence[str]) -> None:
    """Embed texts one by one in a session of two threads, as onnxruntime would by itself."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # spinning takes the cores from others
    session = onnxruntime.InferenceSession(str(EMBEDDED / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    for text in texts:
        session.run(None, {"input_ids": np.array([tokenizer.encode(text).ids], dtype=np.int64)})[0].mean(axis=1)


def make_pipeline(
    folder: Path, articles: Sequence[Article], encoder: OnnxEmbedder, tokens: int
) -> Callable[[], object]:
    """Return the run of LlamaIndex's pipeline over the articles, cut into chunks of so many words, into Chroma."""
    client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
    splitter = SentenceSplitter(
        chunk_size=tokens,
        chunk_overlap=200 if tokens == 1024 else 0,
        tokenizer=str.split,
        chunking_tokenizer_fn=lambda text: [span.slice(text) for span in split_sentences(text)],
    )
    pipeline = IngestionPipeline(
        transformations=[splitter, EncoderEmbedding(encoder=encoder, embed_batch_size=64)],
        vector_store=ChromaVectorStore(chroma_collection=client.create_collection("articles")),
    )
    documents = [Document(text=article.text, id_=article.id) for article in articles]
    return lambda: pipeline.run(documents=documents)
