"""Byline inside LlamaIndex: a retriever, a query engine, and LlamaIndex documents turned into articles.

LlamaIndex's global `Settings` is never read or set; callback managers are passed in or empty.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import Document, NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from corpus.dates import parse_published
from corpus.draft import Draft, make_article
from corpus.errors import ArticleFormatError
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
    """Yield one article per document, in order; one that cannot be used is a failure.

    An id that the caller set is kept. LlamaIndex invents a random one otherwise; then the id is made from the
    document's address, file or text, so that adding the same document again changes nothing.
    """
    for document in documents:
        origin = _origin(document)
        try:
            yield make_article(_draft(document), origin, _name(document), key=origin or document.text)
        except ArticleFormatError as error:
            yield LoadFailure(origin or document.id_, str(error))


def _draft(document: Document) -> Draft:
    facts = document.metadata
    source = _first(facts, _SOURCE_KEYS)
    file = _first(facts, _FILE_KEYS)
    return Draft(
        text=document.text,
        id=None if _is_random(document.id_) else document.id_,
        title=_first(facts, _TITLE_KEYS) or (PurePath(file).stem if file else None),
        source=None if _is_address(source) else source,
        url=_address(facts),
        published=next((day for key in _DAY_KEYS if (day := parse_published(facts.get(key)))), None),
        author=_first(facts, _AUTHOR_KEYS),
        language=_first(facts, ("language", "lang")),
    )


def _origin(document: Document) -> str:
    facts = document.metadata
    origin = _address(facts) or _first(facts, _FILE_KEYS) or ""
    page = _first(facts, ("page_label",))  # LlamaIndex makes one document of each page of a PDF
    return f"{origin}#page={page}" if origin and page else origin


def _name(document: Document) -> str:
    return PurePath(_first(document.metadata, _FILE_KEYS) or _address(document.metadata) or "document").stem


def _address(facts: dict[str, object]) -> str | None:
    source = _first(facts, _SOURCE_KEYS)  # where readers that came from LangChain put the address
    return _first(facts, _URL_KEYS) or (source if _is_address(source) else None)


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
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if text.strip():
            return text.strip()
    return None


def _is_address(text: str | None) -> bool:
    return text is not None and text.startswith(("http://", "https://"))


def _is_random(document_id: str) -> bool:
    try:
        return uuid.UUID(document_id).version == 4
    except ValueError:
        return False
