"""A visitor's chats behind the page: whose they are, what is kept, what a browser may name, what is shown again."""

import logging
import re

import pytest
from starlette.testclient import TestClient

import app
from corpus.errors import ChatNotFoundError, LibraryDamagedError
from qa.chats import Chats
from qa.views.chat import Turn, render_chat
from qa.views.chats_list import MAX_ROWS, NONE_YET, render_bar, render_chats
from qa.views.chats_tab import attempt, list_html
from qa.views.evidence import FORGOTTEN, open_citation
from qa.views.keeping import NO_COOKIE, NOT_READ, NOT_WRITTEN, NOTHING, Current, keep_turns, last_chat, open_chat
from qa.views.visitor import COOKIE, visitor_of
from tests.fakes import make_article
from tests.fakes_library import STORM, STRIKE, make_read_only, open_fake
from tests.fakes_page import asked

SECRET = "s" * 43
CLOSED = "Who closed the harbour?"
EVIL = "<img src=x onerror=alert(1)>"
WORSE = make_article("A storm closed the harbour on Tuesday. Nobody was hurt.", "storm", title="Storm", source="Daily")


@pytest.fixture
def byline(tmp_path):
    with open_fake(tmp_path, STORM, STRIKE) as opened:
        yield opened


def kept(byline, *questions, visitor="mary", current=None, turns=()):
    """Ask and keep each question as the page does."""
    current = current or Current()
    shown = None
    for question in questions:
        answer = byline.ask(question)
        turns = (*turns, Turn(turns[-1].number + 1 if turns else 0, question, answer=answer))
        shown = keep_turns(byline, visitor, current, turns)
        current, turns = shown.current, shown.turns
    return shown


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "a=b",
        f"{COOKIE}=",
        f"{COOKIE}=short",
        f"{COOKIE}={'x' * 44}",
        f"{COOKIE}={'<' * 43}",
        ";;=;",
        "\xff" * 9,
    ],
)
def test_visitor_of_takes_no_cookie_but_a_secret_of_ours(header):
    assert visitor_of(header) is None


def test_visitor_of_finds_the_secret_and_gives_its_hash():
    found = visitor_of(f"theme=dark; {COOKIE}=short; {COOKIE}={SECRET}; x=y")
    assert found == visitor_of(f"{COOKIE}={SECRET}") and re.fullmatch("[0-9a-f]{64}", found)
    assert visitor_of(f"{COOKIE}={'t' * 43}") != found


def test_page_gives_each_browser_a_secret_of_its_own_and_lets_it_keep_it(byline):
    with TestClient(app.build_app(byline), base_url="http://127.0.0.1:7860") as client:
        first = client.get("/")
        given = first.cookies[COOKIE]
        assert re.fullmatch(r"[\w-]{43}", given) and given not in first.text
        flags = first.headers["set-cookie"]
        assert "HttpOnly" in flags and "SameSite=Lax" in flags and "Secure" not in flags
        assert client.get("/").cookies[COOKIE] == given
        client.cookies.clear()
        assert client.get("/").cookies[COOKIE] != given
        assert COOKIE not in client.get("/", headers={"cookie": f"{COOKIE}={EVIL}"}).text
        for path in ("/healthz", "/config", "/v1/articles", "/theme.css"):
            assert "set-cookie" not in client.get(path).headers
    with TestClient(app.build_app(byline), base_url="https://127.0.0.1:7860") as client:
        assert "Secure" in client.get("/").headers["set-cookie"]


def test_no_secret_and_no_chat_is_in_logs_metrics_or_pages(byline, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "qa")  # another test may have made it quiet
    shown = kept(byline, CLOSED, visitor=visitor_of(f"{COOKIE}={SECRET}"))
    with TestClient(app.build_app(byline), base_url="http://127.0.0.1:7860") as client:
        seen = "".join(client.get(path).text for path in ("/", "/config", "/metrics"))
        client.get("/", headers={"cookie": f"{COOKIE}={SECRET}"})
    written = seen + caplog.text
    assert "GET /" in caplog.text
    for secret in (SECRET, visitor_of(f"{COOKIE}={SECRET}"), shown.current.chat_id, CLOSED):
        assert secret not in written


def test_a_visitor_reaches_no_chat_but_own_ones(byline):
    mine = kept(byline, CLOSED).current.chat_id
    other = byline.chats.of("eve")
    assert other.all() == [] and other.search("harbour") == []
    answer = byline.ask(CLOSED)
    for reach in (
        lambda: other.open(mine),
        lambda: other.rename(mine, "x"),
        lambda: other.delete(mine),
        lambda: other.keep(answer, chat_id=mine),
    ):
        with pytest.raises(ChatNotFoundError):
            reach()
    assert [chat.n_turns for chat in byline.chats.of("mary").all()] == [1]
    assert [chat.on_page for chat in byline.chats.all()] == [True]  # whoever has the library sees all


def test_chats_begun_elsewhere_are_no_visitors(byline):
    chat = byline.chats.new()
    chat.ask(CLOSED)
    assert last_chat(byline, "mary") == NOTHING and open_chat(byline, "mary", chat.id) == NOTHING


@pytest.mark.parametrize(
    "given",
    [None, "", 7, [], {"id": 1}, ["0" * 16] * 10_000, "0" * 16, "0" * 15, "G" * 16, "x" * 10**6, "' OR 1=1 --", "\x00"],
    ids=range(12),
)
def test_what_a_browser_names_wrongly_opens_nothing_and_changes_nothing(byline, given):
    shown = kept(byline, CLOSED)
    assert open_chat(byline, "mary", given) == NOTHING
    assert open_chat(byline, None, shown.current.chat_id) == NOTHING
    assert open_chat(byline, "mary", shown.current.chat_id, turn_id=given if given is not None else "x") == NOTHING
    done = []
    assert "no longer in the library" in attempt(
        byline, "mary", given, lambda chats: done.append(chats.delete(str(given)))
    )
    assert done == [] and len(byline.chats.all()) == 1


def test_a_beginning_of_an_id_is_no_id(byline):
    shown = kept(byline, CLOSED)
    assert open_chat(byline, "mary", shown.current.chat_id[:8]) == NOTHING


def test_what_is_shown_again_is_what_was_shown(byline):
    shown = kept(byline, CLOSED, "Who began a strike?")
    again = open_chat(byline, "mary", shown.current.chat_id)
    assert again.current == shown.current == Current(shown.current.chat_id, CLOSED)
    assert [turn.answer.to_dict() for turn in again.turns] == [turn.answer.to_dict() for turn in shown.turns]
    assert render_chat(again.turns, ()) == render_chat(shown.turns, ())
    assert open_citation(byline, again.turns, 0, 1, 5) == open_citation(byline, shown.turns, 0, 1, 5)
    assert last_chat(byline, "mary") == again


def test_only_answers_are_kept_and_one_that_could_not_be_is_kept_later(byline, monkeypatch):
    failed = (Turn(0, "?", error="It failed."), Turn(1, "?", stopped=True))
    assert keep_turns(byline, "mary", Current(), failed).current == Current() and byline.chats.all() == []
    turns = (*failed, Turn(2, CLOSED, answer=byline.ask(CLOSED)))
    assert keep_turns(byline, None, Current(), turns).sentence == NO_COOKIE
    with monkeypatch.context() as patched:
        make_read_only(byline.index.library.file, patched)
        unkept = keep_turns(byline, "mary", Current(), turns)
        assert unkept.sentence == NOT_WRITTEN and unkept.turns == turns
        notice = attempt(byline, "mary", "0" * 16, lambda chats: chats.new())
        assert "cannot be written" in notice and str(byline.folder) not in notice
        byline.index.library.file._idle.clear()
    after = kept(byline, "Who began a strike?", turns=unkept.turns)
    assert [turn.question for turn in byline.chats.open(after.current.chat_id).turns()] == [
        CLOSED,
        "Who began a strike?",
    ]


def test_a_chat_deleted_meanwhile_stays_deleted_and_what_comes_begins_anew(byline):
    shown = kept(byline, CLOSED)
    byline.chats.delete(shown.current.chat_id)
    after = kept(byline, "Who began a strike?", current=shown.current, turns=shown.turns)
    assert after.sentence == "" and after.current.chat_id != shown.current.chat_id
    again = kept(byline, "Was the harbour shut?", current=after.current, turns=after.turns)
    stored = byline.chats.open(again.current.chat_id).turns()
    assert [turn.question for turn in stored] == ["Who began a strike?", "Was the harbour shut?"]
    assert len(again.turns) == 3  # the deleted one is still on the screen


def test_asking_anew_makes_a_branch_that_leads_back(byline):
    shown = kept(byline, CLOSED, "Who began a strike?")
    edited = kept(byline, "Was anybody hurt?", current=shown.current, turns=shown.turns[:1])
    last = edited.turns[-1].place
    assert last.branches == (shown.turns[1].place.turn_id, last.turn_id)
    assert "2 of 2" in render_chat(edited.turns, ())
    back = open_chat(byline, "mary", edited.current.chat_id, last.branches[0])
    assert [turn.question for turn in back.turns] == [CLOSED, "Who began a strike?"]
    assert "1 of 2" in render_chat(back.turns, ())


def test_a_changed_source_shows_the_difference_and_a_removed_one_nothing(byline):
    chat_id = kept(byline, CLOSED).current.chat_id
    byline.add_articles([WORSE])
    turns = open_chat(byline, "mary", chat_id).turns
    html = render_chat(turns, ())
    assert "1 of its sources has changed" in html and 'class="chip stale"' in html and turns[0].answer is None
    opened = open_citation(byline, turns, 0, 1, 5)
    assert "<del>Monday.</del> <ins>Tuesday.</ins>" in opened and "harbour on Tuesday.</mark>" in opened
    byline.remove("storm")
    assert "has been removed from the library" in open_citation(byline, turns, 0, 1, 5)
    turns = open_chat(byline, "mary", chat_id).turns
    html = render_chat(turns, ())
    assert "1 of its sources has been removed" in html and "closed the harbour on Monday" not in html
    byline.add_articles([STORM])
    assert "has come back" in open_citation(byline, turns, 0, 1, 5)
    assert FORGOTTEN in open_citation(byline, turns, 0, 9, 5)
    assert open_chat(byline, "mary", chat_id).turns[0].answer is not None


def test_a_former_version_that_is_kept_is_shown_as_it_was_quoted(tmp_path):
    with open_fake(tmp_path, STORM, STRIKE, keep_versions=True) as byline:
        chat_id = kept(byline, CLOSED).current.chat_id
        byline.add_articles([WORSE])
        turns = open_chat(byline, "mary", chat_id).turns
        assert turns[0].answer is not None and "1 of its sources has changed" in render_chat(turns, ())
        opened = open_citation(byline, turns, 0, 1, 5)
        assert "harbour on Monday.</mark>" in opened and "<ins>Tuesday.</ins>" in opened


def test_follow_ups_lean_on_what_was_asked_before_a_reload(byline):
    shown = kept(byline, "Who led the talks on the Kigali port?")
    byline.remove("storm")
    byline.remove("a/strike")
    byline.add_articles([make_article("Talks on the Kigali port ended on Friday.", "port")])
    turns = open_chat(byline, "mary", shown.current.chat_id).turns
    assert turns[0].recalled is not None
    *_, last = asked(byline, "When did they end?", turns)
    assert "the talks on the Kigali port" in last[-1].answer.standalone_question


def test_a_library_that_cannot_be_read_is_said_so(byline, monkeypatch):
    def fail(*_):
        raise LibraryDamagedError(f"{byline.folder} is damaged.")

    monkeypatch.setattr(Chats, "all", fail)
    assert last_chat(byline, "mary").sentence == NOT_READ
    assert NOT_READ in list_html(byline, "mary", Current(), "")


def test_the_list_escapes_counts_and_marks_the_chat_that_is_shown(byline):
    assert list_html(byline, "mary", Current(), None) == NONE_YET
    assert "Allow cookies" in list_html(byline, None, Current(), None)
    shown = kept(byline, EVIL + " closed the harbour?")
    html = list_html(byline, "mary", shown.current, "")
    assert "<img" not in html and "1 chat<" in html and "1 question" in html and 'aria-current="true"' in html
    assert "<img" not in render_bar(shown) and "0 chats with “x&lt;y”" in list_html(byline, "mary", Current(), " x<y ")
    many = byline.chats.all() * (MAX_ROWS + 1)
    assert render_chats(many, None, "").count("<li") == MAX_ROWS and "used last are shown" in render_chats(
        many, None, ""
    )
