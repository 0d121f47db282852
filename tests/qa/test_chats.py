"""Stored chats: asked on, branched, found again; their citations are checked against the articles of now."""

import pytest

from corpus.errors import ChatNotFoundError, SettingsError
from index.library_dates import count_dates
from qa.byline import Byline
from qa.settings import Settings
from qa.source_check import SourceState
from tests.fakes import FakeEmbedder, FakeReader, make_article

PORT = make_article("Talks on the port began in Kigali on Monday.", "port", id_given=True)


def open_fake(folder):
    return Byline(folder, Settings(library=folder), embedder=FakeEmbedder(), reader=FakeReader())


@pytest.fixture
def byline(tmp_path):
    with open_fake(tmp_path) as opened:
        opened.add_articles([PORT])
        yield opened


def test_a_chat_is_kept_and_gone_on_with(tmp_path):
    with open_fake(tmp_path) as byline:
        byline.add_articles([PORT])
        chat = byline.chats.new()
        chat.ask("Who led the talks on the port?")
        assert chat.title == "Who led the talks on the port?"
    with open_fake(tmp_path) as byline:
        again = byline.chats.open(chat.id[:6])
        answer = again.ask("When did they end?")
        assert "the talks on the port" in answer.standalone_question
        stored = again.turns()
    assert [turn.question for turn in stored] == ["Who led the talks on the port?", "When did they end?"]
    assert stored[1].answer == answer.to_dict() and stored[1].parent == stored[0].id


def test_a_title_holds_nothing_that_cannot_be_stored_or_reorders_what_is_read(byline):
    chat = byline.chats.new("Old one")
    byline.chats.rename(chat.id, "Half \ud800 of \u202eit\x00")
    assert [info.title for info in byline.chats.all()] == ["Half \ufffd of it"]
    with pytest.raises(SettingsError, match="blank"):
        byline.chats.rename(chat.id, "\u202e\x00")


def test_chats_are_listed_renamed_searched_and_deleted(byline):
    first, second = byline.chats.new("Old one"), byline.chats.new()
    second.ask("Where were the talks?")
    byline.chats.rename(first.id, "Harbour")
    assert {chat.title: chat.n_turns for chat in byline.chats.all()} == {"Harbour": 0, "Where were the talks?": 1}
    assert [chat.id for chat in byline.chats.search("KIGALI talks")] == [second.id]
    assert byline.chats.search("nowhere") == []
    byline.chats.delete(second.id)
    assert [chat.id for chat in byline.chats.all()] == [first.id]


def test_editing_and_asking_again_make_branches_that_stay(byline):
    chat = byline.chats.new()
    chat.ask("Who led the talks on the port?")
    chat.ask("When did they end?")
    old = chat.turns()
    chat.edit(old[0].id, "Where were the talks?")
    assert [turn.question for turn in chat.turns()] == ["Where were the talks?"]
    chat.regenerate()
    assert [turn.question for turn in chat.branches(old[0].id)] == [old[0].question] + ["Where were the talks?"] * 2
    chat.go_to(old[0].id)
    assert chat.turns() == old


def test_check_tells_valid_changed_and_removed_sources(byline):
    chat = byline.chats.new()
    chat.ask("Where were the talks?")
    (turn,) = chat.turns()
    assert [source.state for source in chat.check(turn)] == [SourceState.VALID]
    changed = make_article("Talks on the port began in Kigali on Tuesday.", "port", id_given=True)
    byline.add_articles([changed])
    (source,) = chat.check(turn)
    assert source.state is SourceState.CHANGED
    assert source.diff == "Talks on the port began in Kigali on [-Monday.-] {+Tuesday.+}"
    byline.add_articles([make_article("Rain.", "other", id_given=True)])
    byline.remove("port")
    assert [source.state for source in chat.check(turn)] == [SourceState.REMOVED]


def test_a_question_that_fails_leaves_no_turn(byline):
    chat = byline.chats.new()
    with pytest.raises(SettingsError):
        chat.ask(" ")
    assert chat.turns() == []


def test_what_is_not_there_is_named(byline):
    chat = byline.chats.new()
    for wrong in (
        lambda: byline.chats.open("nope"),
        lambda: byline.chats.open(""),
        lambda: byline.chats.delete("nope"),
        lambda: byline.chats.rename("nope", "x"),
        lambda: chat.regenerate(),
        lambda: chat.branches("nope"),
    ):
        with pytest.raises(ChatNotFoundError):
            wrong()
    with pytest.raises(SettingsError, match="blank"):
        byline.chats.rename(chat.id, " ")
    byline.chats.delete(chat.id)
    with pytest.raises(ChatNotFoundError, match="deleted"):
        chat.ask("Where were the talks?")


def test_count_dates_counts_undated_articles(byline):
    counts = count_dates(byline.index.library.file)
    assert (counts.dated, counts.within, counts.undated) == (0, 0, 1)
