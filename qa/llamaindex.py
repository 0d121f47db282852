"""Byline inside LlamaIndex: a retriever, a query engine, and LlamaIndex documents turned into articles.

LlamaIndex's global `Settings` is never read or set; callback managers are passed in or empty.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePath

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import Document, NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from corpus.normalise import normalise_text
from corpus.types import Article, LoadFailure
from index.types import Filters, Hit
from qa.byline import Byline
from qa.pipeline import EVERYTHING
from qa.types import Answer

__all__ = ["BylineQueryEngine", "BylineRetriever", "Document", "load_documents"]

# Of use to programs; in a prompt or an embedding they would only be noise.
_MACHINE_KEYS = ["article_id", "version", "passage_id", "start", "end"]
# Where readers of LlamaHub put these facts, the most exact first.
_TITLE_KEYS = ("title", "Title", "headline", "subject")
_SOURCE_KEYS = ("source", "outlet", "publisher", "site_name", "sitename")
_URL_KEYS = ("url", "URL", "link", "source_url")
_DAY_KEYS = ("published", "published_at", "date", "publish_date", "date_published", "pubDate")
_AUTHOR_KEYS = ("author", "authors", "byline")
_FILE_KEYS = ("file_path", "file_name", "filename")
_MAX_TITLE_CHARS = 120  # of a first line that stands in for a missing title
_ID_DIGITS = 16  # of a sha256; as long as no library holds billions of articles


class BylineRetriever(BaseRetriever):
    """Hybrid retrieval over a library, for any LlamaIndex query engine.

    A node's text is the passage, its id the passage's id, its metadata article_id, title, source, url, published,
    version, start, end, passage_id: `article.text[start:end]` is the node's text.

    Args:
        byline: An open library; it stays the caller's to close.
        k: Hits per question; the library's setting when None.
    """

    def __init__(
        self,
        byline: Byline,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._byline = byline
        self._k = k
        self._filters = filters
        super().__init__(callback_manager=callback_manager or CallbackManager([]))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [make_node(hit) for hit in self._byline.search(query_bundle.query_str, k=self._k, filters=self._filters)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = await self._byline.asearch(query_bundle.query_str, k=self._k, filters=self._filters)
        return [make_node(hit) for hit in hits]


class BylineQueryEngine(BaseQueryEngine):
    """Cited answers as a LlamaIndex query engine.

    The response's text is the answer, or the reason when the articles do not say; `source_nodes` are the cited
    passages in the order of their citations; `metadata` is the answer JSON (DESIGN 3.1).

    Args:
        byline: An open library; it stays the caller's to close.
        k: Hits per question; the library's setting when None.
    """

    def __init__(
        self,
        byline: Byline,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._byline = byline
        self._k = k
        self._filters = filters
        super().__init__(callback_manager=callback_manager or CallbackManager([]))

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._byline.ask(query_bundle.query_str, k=self._k, filters=self._filters))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return _response(await self._byline.aask(query_bundle.query_str, k=self._k, filters=self._filters))


def make_node(hit: Hit) -> NodeWithScore:
    """Return the hit as a LlamaIndex node whose id is the passage's and whose score is the hit's."""
    article, passage = hit.article, hit.passage
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.span.start,
        end_char_idx=passage.span.end,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "source": article.source,
            "url": article.url,
            "published": article.published.isoformat() if article.published else None,
            "version": article.version,
            "start": passage.span.start,
            "end": passage.span.end,
            "passage_id": passage.id,
        },
        excluded_embed_metadata_keys=_MACHINE_KEYS,
        excluded_llm_metadata_keys=_MACHINE_KEYS,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=article.id)},
    )
    return NodeWithScore(node=node, score=hit.score)


def load_documents(documents: Sequence[Document]) -> Iterator[Article | LoadFailure]:
    """Yield one article per document, in order; a document without text is a failure.

    An id that the caller set is kept. LlamaIndex invents a random one otherwise; then the id is made from the
    document's URL, file or text, so that adding the same document again changes nothing.
    """
    for document in documents:
        text = normalise_text(document.text)
        if text:
            yield _article(document, text)
        else:
            origin = _first(document.metadata, _URL_KEYS + _FILE_KEYS) or document.id_
            yield LoadFailure(origin, "The document has no text.")


def _article(document: Document, text: str) -> Article:
    facts = document.metadata
    url, file = _first(facts, _URL_KEYS), _first(facts, _FILE_KEYS)
    origin = url or file or ""
    if origin and (page := _first(facts, ("page_label",))):  # LlamaIndex makes one document of each page of a PDF
        origin = f"{origin}#page={page}"
    id_given = not _is_random(document.id_)
    return Article(
        id=document.id_ if id_given else "doc-" + hashlib.sha256((origin or text).encode()).hexdigest()[:_ID_DIGITS],
        title=_first(facts, _TITLE_KEYS) or (PurePath(file).stem if file else _first_line(text)),
        text=text,
        source=_first(facts, _SOURCE_KEYS),
        url=url,
        published=_day(_first(facts, _DAY_KEYS)),
        author=_first(facts, _AUTHOR_KEYS),
        origin=origin or document.id_,
        id_given=id_given,
    )


def _response(answer: Answer) -> Response:
    by_passage = {hit.passage.id: hit for hit in answer.hits}
    cited = dict.fromkeys(citation.passage_id for citation in answer.citations)
    reason = answer.abstention.reason if answer.abstention else None
    return Response(
        response=reason or answer.text,
        source_nodes=[make_node(by_passage[passage_id]) for passage_id in cited if passage_id in by_passage],
        metadata=answer.to_dict(),
    )


def _first(facts: dict[str, object], keys: Sequence[str]) -> str | None:
    for key in keys:
        value = facts.get(key)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if value is not None and (text := " ".join(normalise_text(str(value)).split())):
            return text
    return None


def _day(written: str | None) -> date | None:
    # Other spellings of a date are left alone: a guessed day is worse than none.
    found = re.match(r"\d{4}-\d{2}-\d{2}(?!\d)", written or "")
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _first_line(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= _MAX_TITLE_CHARS else line[:_MAX_TITLE_CHARS].rsplit(" ", 1)[0] + " ..."


def _is_random(document_id: str) -> bool:
    try:
        return uuid.UUID(document_id).version == 4
    except ValueError:
        return False
