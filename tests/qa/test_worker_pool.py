import threading

import pytest

from corpus.errors import ServiceBusyError
from qa.worker_pool import Limits, WorkerPool


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def occupied(gate, workers=1, queue=10, per_client=10):
    """Return a pool whose workers are all waiting for the gate, and their futures."""
    pool = WorkerPool(Limits(workers, queue, per_client))
    begun = threading.Semaphore(0)

    def wait():
        begun.release()
        assert gate.wait(30)

    futures = [pool.submit("first", wait) for _ in range(workers)]
    for _ in range(workers):
        assert begun.acquire(timeout=30)
    return pool, futures


def test_pool_gives_results_and_errors_to_who_waits_for_them():
    pool = WorkerPool(Limits(2, 2, 4))
    assert pool.submit("a", lambda: 6 * 7).result(30) == 42
    with pytest.raises(ZeroDivisionError):
        pool.submit("a", lambda: 1 / 0).result(30)
    assert pool.close()
    assert (pool.n_running, pool.n_waiting) == (0, 0)


def test_pool_refuses_what_its_queue_does_not_hold_and_says_when_to_try_again(gate):
    pool, _ = occupied(gate, workers=2, queue=3)
    for _ in range(3):
        pool.submit("b", lambda: None)
    with pytest.raises(ServiceBusyError, match=r"^Byline is busy: try again in \d+ s\.$") as caught:
        pool.submit("b", lambda: None)
    assert caught.value.retry_after_s >= 1


def test_a_full_queue_takes_on_who_has_less_in_it_and_refuses_the_last_of_who_has_most(gate):
    pool, _ = occupied(gate, queue=4)
    many = [pool.submit("many", lambda n=n: n) for n in range(3)]
    few = pool.submit("few", lambda: "few")
    one = pool.submit("one", lambda: "one")
    with pytest.raises(ServiceBusyError, match="try again"):
        many[2].result(0)
    assert pool.n_waiting == 4
    with pytest.raises(ServiceBusyError):
        pool.submit("few", lambda: None)  # it would have as many as the one who has most
    gate.set()
    assert [future.result(30) for future in (*many[:2], few, one)] == [0, 1, "few", "one"]
    assert pool.close() and pool.n_waiting == 0


def test_pool_refuses_one_client_its_share_and_still_takes_others(gate):
    pool, _ = occupied(gate, per_client=3)
    pool.submit("first", lambda: None)
    pool.submit("first", lambda: None)
    with pytest.raises(ServiceBusyError, match="You have 3 questions"):
        pool.submit("first", lambda: None)
    pool.submit("other", lambda: None)


def test_pool_lets_clients_take_turns(gate):
    pool, _ = occupied(gate)
    order = []
    futures = [pool.submit("many", lambda n=n: order.append(f"many {n}")) for n in range(4)]
    futures += [pool.submit("few", lambda: order.append("few")), pool.submit("one", lambda: order.append("one"))]
    gate.set()
    for future in futures:
        future.result(30)
    assert order == ["many 0", "few", "one", "many 1", "many 2", "many 3"]


def test_cancelling_a_waiting_job_gives_its_place_back(gate):
    pool, _ = occupied(gate, queue=1)
    waiting = pool.submit("b", lambda: None)
    assert waiting.cancel()
    assert pool.n_waiting == 0
    pool.submit("b", lambda: None)


def test_close_lets_the_running_finish_and_refuses_the_waiting(gate):
    pool, (running,) = occupied(gate)
    waiting = pool.submit("b", lambda: None)
    assert not pool.close(timeout_s=0)
    assert not running.done() and pool.n_waiting == 0
    with pytest.raises(ServiceBusyError, match="shutting down"):
        waiting.result(0)
    with pytest.raises(ServiceBusyError, match="shutting down"):
        pool.submit("b", lambda: None)
    gate.set()
    assert pool.close()
    running.result(0)


def test_pool_loses_nothing_when_many_threads_submit_and_cancel():
    pool = WorkerPool(Limits(4, 10_000, 10_000))
    done, lock = [], threading.Lock()

    def note(n):
        with lock:
            done.append(n)

    def ask(client):
        for n in range(200):
            future = pool.submit(client, lambda n=n: note(n))
            if n % 3 == 0 and future.cancel():
                note(n)

    threads = [threading.Thread(target=ask, args=(f"client {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while pool.n_waiting or pool.n_running:
        pool.submit("last", lambda: None).result(30)
    assert sorted(done) == sorted([*range(200)] * 8)
    assert pool.close() and pool._inside == {}
