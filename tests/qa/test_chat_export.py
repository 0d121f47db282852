"""A chat as a file: what it holds, that no text of it becomes markup, and that removed articles are not quoted."""

import json
from datetime import UTC, datetime

import pytest

from qa.chat_export import make_chat_pack, write_chat
from qa.stored_answer import NOT_SHOWN
from tests.fakes import make_article
from tests.fakes_library import open_fake

MADE = datetime(2026, 5, 6, tzinfo=UTC)
EVIL = make_article("A <b>storm</b> closed [the](http://x) harbour.", "evil", title="<i>Storm</i>", source="D*ily")


@pytest.fixture
def chat(tmp_path):
    with open_fake(tmp_path, EVIL) as byline:
        chat = byline.chats.new()
        chat.ask("What closed <u>the</u> harbour?")
        yield byline, chat


def pack_of(chat):
    return make_chat_pack(chat.title, [(turn, chat.check(turn)) for turn in chat.turns()], MADE)


def test_json_holds_each_answer_and_the_state_of_its_sources(chat):
    _, chat = chat
    pack = json.loads(write_chat(pack_of(chat), "json"))
    (turn,) = pack["turns"]
    assert (pack["format"], pack["version"], pack["made"]) == ("byline-chat", 1, "2026-05-06T00:00:00Z")
    assert turn["answer"] == chat.turns()[0].answer
    assert turn["sources"] == [{"n": 1, "state": "valid", "diff": None}]


def test_markdown_and_html_hold_the_words_and_no_markup_of_them(chat):
    _, chat = chat
    text, html = (write_chat(pack_of(chat), form) for form in ("md", "html"))
    assert "[^1-1]: \\<i\\>Storm\\</i\\>, D\\*ily: “A \\<b\\>storm" in text
    assert "<b>storm" not in html and "<i>" not in html and "<u>" not in html and "&lt;b&gt;storm" in html
    assert "default-src 'none'" in html and "<script" not in html


def test_changed_and_removed_sources_are_named_and_removed_ones_not_quoted(chat):
    byline, chat = chat
    byline.add_articles([make_article("A <b>storm</b> closed [the](http://x) port.", "evil", title="Storm")])
    for form in ("md", "html"):
        assert "source changed" in write_chat(pack_of(chat), form) and "harbour" in write_chat(pack_of(chat), form)
    byline.remove("evil")
    for form in ("json", "md", "html"):
        text = write_chat(pack_of(chat), form)
        assert "source removed" in text and "storm" not in text
    assert pack_of(chat)["turns"][0]["answer"]["statements"][0]["text"] == NOT_SHOWN
