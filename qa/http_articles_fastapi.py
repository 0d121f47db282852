"""`/v1/articles`: list, add, get, remove."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from corpus.dates import parse_published
from corpus.draft import Draft, make_article
from corpus.errors import ArticleFormatError
from corpus.load import MAX_FILE_BYTES, read_draft
from corpus.types import Article, LoadFailure
from qa.http_ask_fastapi import client_of
from qa.http_errors_fastapi import JsonError
from qa.http_models import MAX_ROWS, ArticleBody, ArticlesBody
from qa.listing import report_dict

if TYPE_CHECKING:
    from qa.service import Service

MAX_FILES = 100  # in one upload
MAX_JSON_BYTES = 10_000_000  # JSON is read in the thread that serves everybody: more than 0.1 s of it must not be
ORIGIN = "api"  # of articles that came as JSON and without an address of their own
_ROWS = (".jsonl", ".jsonl.gz")
_WEB = ("http://", "https://")
_MULTIPART = "multipart/form-data"
_ROW_LIST = TypeAdapter(list[ArticleBody])


def articles_router(service: Service) -> APIRouter:
    """Return the routes of the library's articles."""
    router = APIRouter(prefix="/v1/articles", tags=["articles"])
    byline = service.byline

    @router.get("")
    async def list_articles(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> dict[str, object]:
        """List the articles, in the order they were added, without their texts."""
        infos = await service.run(client_of(request), byline.articles)
        return {"total": len(infos), "articles": [info.to_dict() for info in infos[offset : offset + limit]]}

    @router.post("", openapi_extra={"requestBody": _request_body()})
    async def add(request: Request) -> dict[str, object]:
        """Add or update one article, several, or the articles of uploaded files; unchanged ones cost nothing."""
        client = client_of(request)
        async with _loaded(request) as articles:
            report = await service.run(client, lambda: service.add(articles, client))
        return report_dict(report)

    @router.get("/{article_id:path}")
    async def get(article_id: str, request: Request) -> dict[str, object]:
        """Return one article with the text that citations count in."""

        def show() -> dict[str, object]:
            article = byline.article(article_id)
            facts = next((info.to_dict() for info in byline.articles() if info.id == article.id), {})
            return {**facts, "text": article.text}

        return await service.run(client_of(request), show)

    @router.delete("/{article_id:path}")
    async def remove(article_id: str, request: Request) -> dict[str, object]:
        """Remove one article for good."""
        client = client_of(request)
        await service.run(client, lambda: service.remove([article_id], client))
        return {"removed": [article_id]}

    return router


@asynccontextmanager
async def _loaded(request: Request) -> AsyncIterator[Iterable[Article | LoadFailure]]:
    """Lend what a request brings; files are only read when the worker comes to them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield map(_article, _rows(await read_json(request)))
    elif kind == _MULTIPART:
        form = await _form(request)
        try:
            uploads = _uploads(form)
            yield (item for upload in uploads for item in _load(upload))
        finally:
            await form.close()
    else:
        raise JsonError(415, "Send JSON, or files as multipart/form-data under the name 'files'.")


async def read_json(request: Request) -> bytes:
    """Return a body of JSON, of which no more is taken in than may be: what is sent as files may be 20 times as large.

    Raises:
        JsonError: 413.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_JSON_BYTES:
            most = MAX_JSON_BYTES // 1_000_000
            raise JsonError(413, f"That is more than {most} MB of JSON; send it as a .jsonl file.")
    return bytes(body)


def _rows(body: bytes) -> Sequence[ArticleBody]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:  # ValueError covers bad UTF-8
        raise JsonError(400, "The body is not valid JSON in UTF-8.") from error
    try:
        if isinstance(given, dict) and "articles" in given:
            rows: Sequence[ArticleBody] = ArticlesBody.model_validate(given).articles
        else:
            rows = _ROW_LIST.validate_python(given if isinstance(given, list) else [given])
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise JsonError(422, f"{place}: {problem['msg']}.") from error
    if not 0 < len(rows) <= MAX_ROWS:
        raise JsonError(422, f"Send 1 to {MAX_ROWS:,} articles at once, not {len(rows):,}.")
    return rows


def _article(row: ArticleBody) -> Article | LoadFailure:
    """Return the article of a row; one without an id is known by its address, else by its text."""
    author = ", ".join(row.author) if isinstance(row.author, list) else row.author
    draft = Draft(
        text=row.text,
        id=None if row.id is None else str(row.id),
        title=row.title,
        source=row.source,
        url=row.url,
        published=parse_published(row.published),
        author=author,
        language=row.language,
    )
    # An origin may be a path to a file of ours; what a request calls an address must not be taken for one.
    origin = row.url if row.url and row.url.lower().startswith(_WEB) else ORIGIN
    try:
        return make_article(draft, origin, row.title or "article", key=row.url or row.text)
    except ArticleFormatError as error:
        return LoadFailure(origin, str(error))


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=MAX_FILES, max_fields=MAX_FILES)
    except HTTPException as error:
        raise JsonError(400, f"The upload cannot be read: {str(error.detail).rstrip('.')}.") from error


def _uploads(form: FormData) -> list[UploadFile]:
    uploads = [value for value in form.getlist("files") if isinstance(value, UploadFile)]
    if not uploads:
        raise JsonError(422, "files: Send at least one file under this name.")
    if any((upload.size or 0) > MAX_FILE_BYTES for upload in uploads):
        raise JsonError(413, f"A file may have {MAX_FILE_BYTES // 1_000_000} MB at most; split it into articles.")
    return uploads


def _load(upload: UploadFile) -> Iterator[Article | LoadFailure]:
    """Yield the articles of one uploaded file; its name is a label and never a place on this machine."""
    name = PurePosixPath((upload.filename or "upload").replace("\\", "/")).name or "upload"
    origin = f"upload:{name}"
    data = upload.file.read()
    try:
        if name.lower().endswith(_ROWS):
            yield from _load_rows(data, origin, name)
        elif not data.strip():
            raise ArticleFormatError("It is empty; remove it, or put the article's words in it.")
        else:
            path = PurePosixPath(name)
            yield make_article(read_draft(data, path.suffix.lower()), origin, path.stem)
    except ArticleFormatError as error:
        yield LoadFailure(origin, str(error))


def _load_rows(data: bytes, origin: str, name: str) -> Iterator[Article | LoadFailure]:
    from corpus.load_jsonl import load_jsonl

    stem = name.removesuffix(".gz").removesuffix(".jsonl")
    with tempfile.TemporaryDirectory(prefix="byline-") as folder:
        path = Path(folder) / "rows.jsonl"  # never the name that came with the upload
        path.write_bytes(data)
        for number, row in load_jsonl(path):
            try:
                if isinstance(row, ArticleFormatError):
                    raise row
                yield make_article(row, origin, stem, key=f"{origin}:{row.url or number}")
            except ArticleFormatError as error:
                yield LoadFailure(f"{origin}:{number}", str(error))


def _request_body() -> dict[str, object]:
    upload = {"type": "object", "required": ["files"], "properties": {"files": _FILES}}
    article = ArticleBody.model_json_schema()
    several = {"type": "array", "items": article, "minItems": 1, "maxItems": MAX_ROWS}
    wrapped = {"type": "object", "required": ["articles"], "properties": {"articles": several}}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": [article, several, wrapped]}},
            _MULTIPART: {"schema": upload},
        },
    }


_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1, "maxItems": MAX_FILES}
