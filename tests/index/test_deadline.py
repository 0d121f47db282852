import subprocess
import sys
import threading

import pytest

from index.deadline import Deadline, Workers


def test_workers_return_results_and_errors():
    workers = Workers("test")
    assert [workers.submit(pow, 2, n).result(10) for n in range(5)] == [1, 2, 4, 8, 16]
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 // 0).result(10)


def test_a_call_that_hangs_holds_up_nobody():
    workers, release = Workers("test"), threading.Event()
    stuck = [workers.submit(release.wait, 30) for _ in range(3)]
    assert workers.submit(pow, 2, 5).result(10) == 32
    with pytest.raises(TimeoutError):
        stuck[0].result(0.01)
    release.set()
    assert all(each.result(10) for each in stuck)


def test_a_call_that_hangs_does_not_keep_the_process_from_ending():
    code = "from index.deadline import Workers; import time; Workers('x').submit(time.sleep, 600)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_a_deadline_passes():
    assert 9 < Deadline(10).left() <= 10 and Deadline(0).left() == 0
