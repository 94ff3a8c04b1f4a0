"""Workers: processes and a Dask cluster, alive and killed, give the bytes of one process."""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool

import pytest

from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, JobError, MissingExtraError, UsageError
from tokkit.words import count_words, dask_executor, local_executor, write_counts
from tokkit.words.engines import LOSSES, run_parts

# Dask says so on busy machines.
pytestmark = pytest.mark.filterwarnings("ignore:Creating scratch directories:UserWarning")


@pytest.fixture(scope="module")
def pool():
    with local_executor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip(
        "distributed", reason="the cluster extra is not installed"
    )
    with distributed.LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield cluster


def file_of(words, tmp_path):
    path = tmp_path / "counts.parquet"
    write_counts(words, path)
    return path.read_bytes()


def kill(process_id):
    os.kill(process_id, signal.SIGKILL)


class KillOnce:
    """A progress callback that kills a worker when the first part is done."""

    def __init__(self, workers):
        self.workers = workers
        self.killed = 0

    def __call__(self, stage, done, total):
        if not self.killed and done < total:
            self.killed = self.workers()[0]
            kill(self.killed)


def test_two_processes_write_what_one_does(corpus, pattern, reference, tmp_path, pool):
    assert file_of(count_words(corpus, pattern, executor=pool, parts=5), tmp_path) == reference


def test_a_killed_process_changes_nothing(corpus, pattern, reference, tmp_path, pool):
    progress = KillOnce(lambda: pool.process_ids)
    counts = count_words(corpus, pattern, executor=pool, parts=40, progress=progress)
    assert progress.killed
    assert file_of(counts, tmp_path) == reference


def test_a_dask_cluster_writes_what_one_process_does(
    corpus, pattern, reference, tmp_path, cluster
):
    with dask_executor(cluster.scheduler_address) as executor:
        counts = count_words(corpus, pattern, executor=executor, parts=5)
    assert file_of(counts, tmp_path) == reference


def test_a_killed_dask_worker_changes_nothing(corpus, pattern, reference, tmp_path, cluster):
    progress = KillOnce(lambda: [worker.pid for worker in cluster.workers.values()])
    with dask_executor(cluster.scheduler_address) as executor:
        counts = count_words(corpus, pattern, executor=executor, parts=40, progress=progress)
    assert progress.killed
    assert file_of(counts, tmp_path) == reference


def test_errors_of_a_record_come_back_from_workers(tmp_path, pattern, pool, cluster):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": 1}\n')
    with dask_executor(cluster.scheduler_address) as executor:
        for place in (pool, executor):
            with pytest.raises(CorpusError, match="line 2: column 'text' holds int"):
                count_words(open_corpus([tmp_path]), pattern, executor=place, parts=2)


def test_skipped_records_are_counted_across_workers(tmp_path, pattern, pool):
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_text('{"text": "a"}\n{"text": 1}\n')
    corpus = open_corpus([tmp_path], on_error="skip")
    assert count_words(corpus, pattern, executor=pool, parts=3).to_dict() == {b"a": 3}
    assert corpus.skipped == {"not a string": 3}


# --- a part that kills its worker -----------------------------------------------------------


def die(item):
    if item == "poison":
        kill(os.getpid())
    return item


def test_a_part_that_kills_its_workers_ends_the_job_after_the_others_are_done():
    with local_executor(2) as executor:
        parts = run_parts(die, ["a", "poison", "b", "c"], executor)
        done = {}
        with pytest.raises(JobError, match=f"died {LOSSES} times at the same part"):
            done.update(parts)
    assert done == {0: "a", 2: "b", 3: "c"}


def long_result(size):
    return b"x" * size


def test_a_worker_killed_while_it_writes_a_long_result_lets_nobody_wait():
    with local_executor(1) as executor:
        executor.submit(long_result, 1).result()
        (process_id,) = executor.process_ids
        os.kill(process_id, signal.SIGSTOP)  # so that it has not begun to write
        lost = executor.submit(long_result, 1 << 24)
        kill(process_id)
        with pytest.raises(BrokenExecutor, match="a worker died"):
            lost.result(timeout=30)
        assert len(executor.submit(long_result, 1 << 24).result(timeout=60)) == 1 << 24


def test_results_and_errors_that_cannot_be_sent_are_errors():
    with local_executor(1) as executor:
        with pytest.raises((AttributeError, pickle.PicklingError)):
            executor.submit(lambda: 1).result(timeout=30)
        with pytest.raises((AttributeError, pickle.PicklingError)):
            executor.submit(eval, "lambda: 1").result(timeout=30)
        with pytest.raises(TypeError, match="missing"):
            executor.submit(fail_unreadably).result(timeout=30)
        assert executor.submit(long_result, 3).result(timeout=30) == b"xxx"
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(long_result, 3)


def fail_unreadably():
    raise MissingExtraError("torch", "torch")  # cannot be made again from its message alone


def test_what_has_not_begun_can_be_cancelled():
    executor = local_executor(1)
    first, *others = [executor.submit(time.sleep, 0.2) for _ in range(4)]
    while not first.running():
        time.sleep(0.01)
    executor.shutdown(cancel_futures=True)
    assert first.result() is None
    assert all(each.cancelled() for each in others)


def test_a_broken_pool_that_cannot_be_replaced_is_an_error():
    with ProcessPoolExecutor(1) as executor:
        executor._broken = "worker killed"
        with pytest.raises(JobError, match="take no more work"):
            list(run_parts(die, ["a"], executor))


class Flaky(Executor):
    """Fails with the given errors, one per part handed in, then works."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.submitted = 0

    def submit(self, task, item):
        self.submitted += 1
        future = Future()
        if self.errors:
            future.set_exception(self.errors.pop())
        else:
            future.set_result(task(item))
        return future


class LostError(Exception):
    """As those of Dask, which say where they come from."""


LostError.__module__ = "distributed.scheduler"


@pytest.mark.parametrize("error", [BrokenProcessPool(), CancelledError(), LostError()])
def test_lost_parts_are_handed_in_again(error):
    executor = Flaky(error, error, error)
    assert dict(run_parts(str, [1, 2], executor)) == {0: "1", 1: "2"}
    assert executor.submitted == 5


def test_errors_of_the_task_are_not_retried():
    with pytest.raises(ZeroDivisionError):
        list(run_parts(str, [1], Flaky(ZeroDivisionError())))
    with pytest.raises(JobError, match="out of memory"):
        list(run_parts(str, [1], Flaky(MemoryError())))


# --- beginning and end ----------------------------------------------------------------------

ORPHANS = """
import os, time
from tokkit.words import local_executor
if __name__ == "__main__":
    executor = local_executor(2)
    for future in [executor.submit(time.sleep, 0.1) for _ in range(4)]:
        future.result()
    print(*executor.process_ids, flush=True)
    executor.submit(time.sleep, 60)
    time.sleep(60)
"""


def is_running(process_id):
    try:
        os.kill(process_id, 0)
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="asks /proc whether a process runs")
def test_workers_end_with_their_parent_even_if_it_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as process:
        workers = [int(number) for number in process.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(is_running, workers))
        process.kill()
    deadline = time.monotonic() + 20
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))


def test_no_workers_are_refused():
    with pytest.raises(UsageError, match="0 workers"):
        local_executor(0)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1:port"])
def test_a_scheduler_that_does_not_answer(address):
    pytest.importorskip("distributed", reason="the cluster extra is not installed")
    with pytest.raises(UsageError, match="no Dask scheduler answers at"):
        dask_executor(address, timeout=0.5)


def test_dask_may_be_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"distributed.*tokkit-toolkit\[cluster\]"):
        dask_executor("tcp://127.0.0.1:9")
