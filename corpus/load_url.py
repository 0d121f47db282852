"""An http(s) address -> `Article`, within bounds of time, size and redirects."""

import time
import zlib
from dataclasses import replace
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import PurePosixPath
from typing import cast
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit

from corpus.decode import decode_text
from corpus.draft import Draft, make_article
from corpus.errors import ArticleFormatError
from corpus.types import Article

MAX_BYTES = 20_000_000  # twice the largest page that is read; a PDF report fits
TIMEOUT_S = 30.0  # for the whole download; a news page takes two
SILENCE_S = 10.0  # without a single byte
MAX_REDIRECTS = 5  # a shortener, https, www and a consent page make four
_BLOCK_BYTES = 65_536
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Byline)",
    "Accept": "text/html, text/plain, text/markdown, application/pdf",
    "Accept-Encoding": "identity",
}
_SAFE = "/%:@!$&'()*+,;=~?-._"  # what an address may hold as it is; everything else is percent-encoded
_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
}


class _Redirects(request.HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS


def load_url(url: str) -> Article:
    """Download and read one article.

    Raises:
        ArticleFormatError: If the address is not http(s), cannot be reached in time, or holds no article.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ArticleFormatError("It is no valid address; check it.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ArticleFormatError("Only http and https addresses are read; save the article as a file and add that.")
    plain = parts._replace(path=quote(parts.path, _SAFE), query=quote(parts.query, _SAFE), fragment="")
    data, headers, final_url = _download(plain.geturl())
    kind = headers.get_content_type() if "Content-Type" in headers else ""
    path = PurePosixPath(unquote(urlsplit(final_url).path))
    suffix = ".pdf" if data.startswith(b"%PDF-") else _TYPES.get(kind) or path.suffix.lower()
    draft = _read(data, suffix, final_url, headers.get_content_charset())
    return make_article(draft, url, path.stem or parts.hostname)


def _download(url: str) -> tuple[bytes, HTTPMessage, str]:
    """Return the body, the headers and the address after redirects."""
    opener = request.OpenerDirector()  # built from parts, so that a redirect to file: or ftp: finds nobody to open it
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(request.Request(url, headers=_HEADERS), timeout=SILENCE_S) as opened:
            response = cast(HTTPResponse, opened)
            return _body(response), response.headers, response.geturl()
    except HTTPError as error:
        error.close()
        raise ArticleFormatError(f"The server answers {error.code} {error.reason}; check the address.") from error
    except (URLError, HTTPException, TimeoutError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise ArticleFormatError(f"It cannot be fetched ({reason}); check the address and the connection.") from error


def _body(response: HTTPResponse) -> bytes:
    deadline = time.monotonic() + TIMEOUT_S
    body = bytearray()
    while block := response.read1(_BLOCK_BYTES):  # read() would wait for a whole block, however slowly it drips in
        body += block
        if len(body) > MAX_BYTES:
            raise ArticleFormatError(
                f"It is larger than {MAX_BYTES // 1_000_000} MB; save the article and add the file."
            )
        if time.monotonic() > deadline:
            raise ArticleFormatError(
                f"It takes longer than {TIMEOUT_S:.0f} s to fetch; save the article and add the file."
            )
    if response.headers.get("Content-Encoding", "").lower() in {"gzip", "deflate"}:
        return _inflate(bytes(body))
    return bytes(body)


def _inflate(body: bytes) -> bytes:
    try:
        data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise ArticleFormatError("It arrives damaged; try again, or save the article and add the file.") from error
    if len(data) > MAX_BYTES:
        raise ArticleFormatError(f"It is larger than {MAX_BYTES // 1_000_000} MB; save the article and add the file.")
    return data


def _read(data: bytes, suffix: str, url: str, charset: str | None) -> Draft:
    if suffix in {".html", ".htm"} or data.lstrip()[:1] == b"<":
        from corpus.load_html import load_html

        return load_html(data, url=url, charset=charset)
    if suffix == ".pdf":
        from corpus.load_pdf import load_pdf

        return replace(load_pdf(data), url=url)
    if suffix in {".md", ".markdown"}:
        from corpus.load_md import load_md

        draft = load_md(data)
        return replace(draft, url=draft.url or url, id=None)
    if suffix == ".txt":
        return Draft(text=decode_text(data, declared=charset), url=url)
    raise ArticleFormatError("It is neither a page, text nor PDF; save the article in one of these and add the file.")
