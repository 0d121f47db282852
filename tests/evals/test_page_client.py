import asyncio
from collections.abc import Iterator

import httpx
import pytest
from gradio_client import Client

from corpus.types import Article
from evals.benchmarks.page_client_httpx import NotAnsweredError, PageVisitor, find_box
from tests.fakes_page import FakeByline
from tests.page_thread import serving_here

HARBOUR = Article("harbour", "The harbour", "The harbour of Trelleborg was closed by Ebba Quist.")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serving_here(FakeByline(tmp_path_factory.mktemp("library"), HARBOUR)) as address:
        yield address


def asked(address: str, *questions: str) -> list[list[object]]:
    async def ask():
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
            visitor = PageVisitor(client, await find_box(client))
            return [await visitor.ask(question) for question in questions]

    return asyncio.run(ask())


@pytest.mark.parametrize("question", ["Who closed Trelleborg?", "Who closed Malmö?", "?"], ids=["yes", "no", "refused"])
def test_the_lean_client_is_shown_what_gradios_own_is_shown(address, question):
    client = Client(address, verbose=False, download_files=False, analytics_enabled=False)
    try:
        submit = next(each for each in client.config["dependencies"] if each["targets"][0][1] == "submit")
        client.endpoints[submit["id"]].is_valid = True  # the page keeps its events out of its description
        client.cookies["byline_visitor"] = "x" * 43
        theirs = client.submit(question, fn_index=submit["id"]).result(60)
    finally:
        client.close()
    ours = [value for value in asked(address, question)[0] if value is not None]
    assert [_shown(value) for value in ours] == [_shown(value) for value in theirs if value is not None]


def test_a_visitor_asks_on_in_the_same_chat(address):
    _, after = asked(address, "Who closed Trelleborg?", "Who is Ebba Quist?")
    assert str(after[0]).count('class="turn"') == 2
    assert 'data-chat=""' not in str(after[-1])  # it is kept


def test_a_page_without_a_box_is_said_so():
    async def find():
        empty = httpx.MockTransport(lambda _: httpx.Response(200, json={"dependencies": []}))
        async with httpx.AsyncClient(base_url="http://page", transport=empty) as client:
            await find_box(client)

    with pytest.raises(NotAnsweredError, match="no box"):
        asyncio.run(find())


def _shown(value: object) -> object:
    """Return what is shown without the chat's id, which is each one's own."""
    return value.split("data-chat")[0] if isinstance(value, str) else value
