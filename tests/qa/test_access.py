import base64
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from corpus.errors import SettingsError
from qa import access
from qa.access import Access, Credentials, check_exposure, hash_password, network_of
from qa.gate import Gate
from qa.log_setup import JsonLines, Sentences
from qa.request_id import begin_request
from qa.request_log import RequestLog
from qa.service import credentials_of
from qa.settings import Settings

HASH = hash_password("correct horse")
BOTH = Credentials("a-long-random-word", "mary", HASH)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("Bearer a-long-random-word", True),
        ("bearer  a-long-random-word", True),
        (basic("anybody", "a-long-random-word"), True),
        (basic("mary", "correct horse"), True),
        ("", False),
        ("a-long-random-word", False),
        ("Bearer ", False),
        ("Bearer a-long-random-wor", False),
        (basic("mary", "wrong"), False),
        (basic("john", "correct horse"), False),
        ("Basic !!!", False),
        ("Basic /w==", False),
    ],
)
def test_access_allows_the_token_and_the_user(header, allowed):
    door = Access(BOTH)
    assert [door.allows(header, "here") for _ in range(2)] == [allowed, allowed]


def test_access_checks_a_password_only_once(monkeypatch):
    import argon2

    door = Access(BOTH)
    assert door.allows(basic("mary", "correct horse"), "here")
    monkeypatch.setattr(argon2.PasswordHasher, "verify", None)
    assert door.allows(basic("mary", "correct horse"), "here")


def test_access_lets_no_more_guesses_through_when_they_come_at_once(monkeypatch):
    door = Access(BOTH)
    tried = []
    monkeypatch.setattr(door, "_is_right", lambda header: tried.append(header) or time.sleep(0.001) or False)
    with ThreadPoolExecutor(30) as pool:
        assert not any(pool.map(lambda n: door.allows(f"Bearer {n}", "there"), range(100)))
    assert len(tried) == 10


def test_access_remembers_a_bounded_number_of_headers():
    door = Access(Credentials("a-long-random-word"))
    for n in range(1_500):
        assert door.allows(basic(f"user{n}", "a-long-random-word"), "here")
    assert len(door._accepted) <= 1_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("command line", "command line"),
        ("", ""),
    ],
)
def test_addresses_of_one_subscriber_count_as_one(address, network):
    assert network_of(address) == network


def test_access_counts_the_guesses_of_a_network_together():
    door = Access(Credentials("a-long-random-word"))
    for n in range(10):
        assert not door.allows("Bearer no", f"2001:db8::{n}")
    assert door.is_guessing("2001:db8::ffff") and not door.is_guessing("2001:db8:0:1::1")


@pytest.mark.parametrize("broken", ["", "hunter2", "$argon2id$v=19$m=65536", HASH.replace("$", "", 1), "=19,t=3,p=4"])
def test_a_password_hash_that_is_none_is_refused_at_the_start(broken):
    with pytest.raises(SettingsError, match="is no Argon2 hash. Make one with: byline password") as caught:
        Credentials(user="mary", password_hash=broken)
    assert not broken or broken not in str(caught.value)


def test_access_makes_one_who_guesses_wait(monkeypatch):
    door = Access(Credentials("a-long-random-word"))
    now = [0.0]
    monkeypatch.setattr(access.time, "monotonic", lambda: now[0])
    for _ in range(10):
        assert not door.is_guessing("there")
        assert not door.allows("Bearer no", "there")
    assert door.is_guessing("there") and not door.is_guessing("here")
    now[0] = 61.0
    assert not door.is_guessing("there")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_credentials(host):
    check_exposure(host, Credentials())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_beyond_loopback_credentials_are_demanded(host):
    check_exposure(host, Credentials("a-long-random-word"))
    with pytest.raises(SettingsError, match="must sign in. Set BYLINE_TOKEN"):
        check_exposure(host, Credentials())


def test_settings_give_credentials_and_hide_them():
    settings = Settings(token="a-long-random-word", user="mary", password_hash=HASH)
    assert credentials_of(settings) == BOTH
    assert "random" not in repr(settings) + repr(BOTH) and HASH not in repr(settings) + repr(BOTH)
    with pytest.raises(SettingsError, match="together"):
        credentials_of(Settings(user="mary"))
    with pytest.raises(SettingsError) as caught:
        Settings(token="short-secret")
    assert "short-secret" not in str(caught.value) and "BYLINE_TOKEN" in str(caught.value)
    assert Settings(allowed_hosts="A.example, b ,").hosts() == ("a.example", "b")


@pytest.fixture
def gated():
    def app(name):
        return PlainTextResponse(name)

    gate = Gate(app("page"), access=Access(BOTH), api=app("api"), api_paths=("/v1", "/owner", "/healthz"))
    return TestClient(gate)


def test_gate_asks_everybody_but_the_load_balancer_and_the_owner(gated):
    for path, challenge in (("/", "Basic"), ("/v1/ask", "Bearer"), ("/v1x", "Basic")):
        refused = gated.get(path)
        assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith(challenge)
        assert list(refused.json()["error"]) == ["type", "message"]
    assert gated.get("/healthz").text == gated.post("/owner/ask").text == "api"
    good = {"authorization": "Bearer a-long-random-word"}
    assert [gated.get(path, headers=good).text for path in ("/", "/v1", "/v1/ask", "/v1x")] == [
        "page",
        "api",
        "api",
        "page",
    ]


def test_gate_slows_down_guesses(gated):
    statuses = [gated.get("/", headers={"authorization": f"Bearer {n}"}).status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def record(message, **extra):
    made = logging.makeLogRecord({"name": "qa.x", "levelname": "INFO", "msg": message})
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize(
    "message",
    [
        "Authorization: Bearer a-long-random-word",
        "Basic bWFyeTpjb3JyZWN0IGhvcnNl came",
        "GET /x?token=a-long-random-word&y=1",
        "the key is a-long-random-word",
        "{'password=hunter2'}",
    ],
)
def test_logs_mask_secrets(message):
    for kind in (Sentences, JsonLines):
        line = kind(("a-long-random-word",)).format(record(message))
        assert "***" in line
        assert not any(secret in line for secret in ("a-long", "bWFyeT", "hunter2"))


def test_json_logs_carry_the_request(monkeypatch):
    begin_request("abc-1")
    try:
        entry = json.loads(JsonLines().format(record("GET / 200", seconds=0.1)))
    finally:
        begin_request(None)
    assert entry["request"] == "abc-1" and entry["seconds"] == 0.1 and entry["logger"] == "qa.x"


def test_request_log_names_counts_and_hides_the_query(caplog):
    counted = []

    class Metrics:
        def count(self, *what):
            counted.append(what[:3])

    client = TestClient(RequestLog(PlainTextResponse("hello"), Metrics()))
    with caplog.at_level(logging.INFO, "qa.request_log"):
        given = client.get("/x?question=private", headers={"x-request-id": "mine-7"})
        made = client.get("/x", headers={"x-request-id": "bad\tid"})
    assert given.headers["x-request-id"] == "mine-7" and len(made.headers["x-request-id"]) == 16
    assert "private" not in caplog.text and "GET /x 200" in caplog.text
    assert counted == [("GET", "page", 200)] * 2


def test_request_log_keeps_a_path_on_its_line(caplog):
    class Metrics:
        def count(self, *what):
            pass

    client = TestClient(RequestLog(PlainTextResponse("hello"), Metrics()))
    with caplog.at_level(logging.INFO, "qa.request_log"):
        client.get("/x%0AERROR%20qa.access:%20forged%1b[2J")
    [line] = [record.getMessage() for record in caplog.records if record.name == "qa.request_log"]
    assert line == "GET /x%0AERROR%20qa.access:%20forged%1B%5B2J 200"


def test_settings_name_every_secret_for_the_log():
    settings = Settings(token="a-long-random-word", user="mary", password_hash=HASH, llm_api_key="sk-of-a-model")
    assert set(settings.secrets()) == {"a-long-random-word", HASH, "sk-of-a-model"}
    assert Settings().secrets() == ()
