import threading
import time
from contextvars import ContextVar

import pytest

from qa.within_time import until

WHO = ContextVar("WHO", default="nobody")


def test_until_yields_what_is_made_in_the_callers_context():
    WHO.set("caller")
    assert list(until(time.monotonic() + 60, lambda: iter([WHO.get(), "b"]))) == ["caller", "b"]


def test_until_stops_waiting_and_lets_go_of_what_it_waited_for():
    stuck, closed = threading.Event(), threading.Event()

    def make():
        try:
            yield "first"
            stuck.wait(30)
            yield "late"
        finally:
            closed.set()

    items = until(time.monotonic() + 0.5, make)
    assert next(items) == "first"
    with pytest.raises(TimeoutError):
        next(items)
    stuck.set()
    assert closed.wait(30)


def test_until_closes_what_is_not_read_to_its_end():
    closed = threading.Event()

    def make():
        try:
            while True:
                yield "again"
        finally:
            closed.set()

    items = until(time.monotonic() + 60, make)
    assert next(items) == "again"
    items.close()
    assert closed.wait(30)


def test_until_raises_what_was_raised():
    def make():
        yield 1
        raise KeyError("gone")

    items = until(time.monotonic() + 60, make)
    assert next(items) == 1
    with pytest.raises(KeyError, match="gone"):
        next(items)
