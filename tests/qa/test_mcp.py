"""`byline mcp` with the official client, over stdin and stdout of a real process."""

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

pytest.importorskip("mcp")

from mcp import ClientSession, StdioServerParameters  # noqa: E402
from mcp.client.stdio import stdio_client  # noqa: E402

from corpus.errors import MissingExtraError  # noqa: E402
from qa.cli_typer import run  # noqa: E402
from qa.mcp_server import make_mcp_server  # noqa: E402

ROOT = Path(__file__).parents[2]
QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mcp") / "library"
    assert run(["--library", str(folder), "add", "--sample"]) == 0
    return folder


@asynccontextmanager
async def connected(library):
    arguments = ["-m", "qa", "--library", str(library), "mcp"]
    server = StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


def test_client_lists_and_calls_the_tools(library):
    async def use():
        async with connected(library) as session:
            tools = (await session.list_tools()).tools
            assert {tool.name for tool in tools} == {"ask", "search", "get_article"}
            assert all(tool.annotations.readOnlyHint for tool in tools)
            answer = (await session.call_tool("ask", {"question": QUESTION})).structuredContent
            assert answer["short_answer"] == "Marisa Kabas"
            (citation, *_) = answer["citations"]
            article = (await session.call_tool("get_article", {"article_id": citation["article_id"]})).structuredContent
            assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
            found = await session.call_tool("search", {"query": "asylum", "k": 2})
            hits = json.loads(found.content[0].text)["hits"]
            assert [hit["rank"] for hit in hits] == [1, 2] and all(hit["text"] for hit in hits)

    anyio.run(use)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_article", {"article_id": "nobody"}, "'nobody'"),
        ("ask", {"question": " "}, "question is empty"),
        ("ask", {"question": "Who?", "since": "2025-05-02", "until": "2025-05-01"}, "date range is empty"),
        ("search", {"query": "asylum", "k": 0}, "k"),
    ],
)
def test_client_is_told_what_is_wrong(library, tool, arguments, words):
    from mcp.server.fastmcp.exceptions import ToolError

    import qa

    with qa.open(library) as byline:
        server = make_mcp_server(byline)
        with pytest.raises(ToolError, match=words):
            anyio.run(lambda: server.call_tool(tool, arguments))


def test_without_the_extra_the_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.server.fastmcp", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'byline\[mcp\]'"):
        make_mcp_server(None)
