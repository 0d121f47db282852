import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from corpus.errors import IndexingError, LibraryBusyError
from index.owner import LOCK_NAME, OwnerLock, read_owner

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from index.owner import OwnerLock
lock = OwnerLock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


def test_owner_lock_writes_who_owns_the_library(tmp_path):
    lock = OwnerLock(tmp_path)
    facts = json.loads((tmp_path / LOCK_NAME).read_text())
    assert facts["pid"] == os.getpid() and facts["address"] is None and facts["since"].endswith("+00:00")
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
    lock.release()
    lock.release()
    assert read_owner(tmp_path) is None


def test_owner_lock_refuses_the_same_process_twice(tmp_path):
    lock = OwnerLock(tmp_path)
    with pytest.raises(LibraryBusyError, match=f"this process .pid {os.getpid()}"):
        OwnerLock(tmp_path)
    assert read_owner(tmp_path).pid == os.getpid()  # the loser left the owner's file alone
    lock.release()
    OwnerLock(tmp_path).release()


def test_owner_lock_names_the_other_process_in_one_sentence_and_a_remedy(tmp_path, holder):
    with pytest.raises(LibraryBusyError) as caught:
        OwnerLock(tmp_path)
    since = read_owner(tmp_path).since
    assert str(caught.value) == (
        f"The library {str(tmp_path)!r} is in use by process {holder.pid} (since {since}). "
        "Close that one first, or name another with --library."
    )


def test_owner_lock_is_free_after_the_owner_was_killed(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait(timeout=10)
    lock = OwnerLock(tmp_path)
    assert read_owner(tmp_path).pid == os.getpid()
    lock.release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x", "since": ""}', "\x00\xff"])
def test_owner_lock_overwrites_what_is_no_owner(tmp_path, content):
    (tmp_path / LOCK_NAME).write_text(content, encoding="latin-1")
    assert read_owner(tmp_path) is None
    OwnerLock(tmp_path).release()


def test_owner_lock_says_when_the_lock_cannot_be_made(tmp_path):
    with pytest.raises(IndexingError, match="cannot be locked"):
        OwnerLock(tmp_path / "absent")


def test_a_lock_that_names_nobody_is_waited_for(tmp_path):
    first = OwnerLock(tmp_path)
    (tmp_path / LOCK_NAME).write_text("")  # as an owner leaves it that is just letting go
    leaving = threading.Timer(0.05, first.release)
    leaving.start()
    OwnerLock(tmp_path).release()
    leaving.join()
