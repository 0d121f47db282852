"""The official OpenAI client against the real server on loopback."""

import threading
import time

import openai
import pytest
import uvicorn

from qa.http_fastapi import make_api
from qa.metrics_prometheus import Metrics
from qa.service import Service
from tests.fakes_library import STORM, STRIKE, open_fake


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with open_fake(tmp_path_factory.mktemp("openai") / "library", STORM, STRIKE) as byline:
        service = Service(byline)
        yield service
        service.pool.close()


@pytest.fixture(scope="module")
def client(service):
    config = uvicorn.Config(make_api(service, Metrics(service)), port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0) as client:
        yield client
    server.should_exit = True
    thread.join(30)


ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What did the storm close?"}]


def test_client_lists_the_model(client):
    assert [model.id for model in client.models.list()] == ["byline"]
    assert client.models.retrieve("byline").owned_by == "byline"


def test_client_gets_the_answer_with_its_citations_as_annotations(client, service):
    completion = client.chat.completions.create(model="byline", messages=ASKED, temperature=0)
    (choice,) = completion.choices
    answer = service.byline.ask("What did the storm close?")
    (cited,) = answer.citations
    assert choice.finish_reason == "stop" and choice.message.content == f"{answer.text} [1]"
    (annotation,) = choice.message.annotations
    place = annotation.url_citation
    assert (annotation.type, place.title, place.url) == ("url_citation", "Storm", "https://d.example/s")
    assert choice.message.content[place.start_index : place.end_index] == choice.message.content
    assert annotation.byline["quote"] == cited.quote
    assert completion.byline["citations"] == [cited.to_dict()]


def test_client_streams_the_same(client):
    whole = client.chat.completions.create(model="byline", messages=ASKED)
    chunks = list(
        client.chat.completions.create(
            model="byline", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    *said, usage = chunks
    assert "".join(chunk.choices[0].delta.content for chunk in said) == whole.choices[0].message.content
    assert said[0].choices[0].delta.role == "assistant" and said[-1].choices[0].finish_reason == "stop"
    assert len(said[-1].choices[0].delta.annotations) == 1
    assert usage.choices == [] and usage.usage.total_tokens == 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_client_reads_parts_and_sends_a_history(client):
    messages = [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": [{"type": "text", "text": "What did the storm close?"}]},
    ]
    assert "harbour" in client.chat.completions.create(model="byline", messages=messages).choices[0].message.content


def test_client_is_told_what_is_wrong(client):
    with pytest.raises(openai.UnprocessableEntityError, match="must be the user's question"):
        client.chat.completions.create(model="byline", messages=ASKED[:1])
    with pytest.raises(openai.UnprocessableEntityError, match="messages"):
        client.chat.completions.create(model="byline", messages=[])
    with pytest.raises(openai.UnprocessableEntityError, match="question is empty"):
        client.chat.completions.create(model="byline", messages=[{"role": "user", "content": " "}], stream=True)
