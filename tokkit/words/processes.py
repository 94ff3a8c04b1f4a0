"""Worker processes on this machine."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from multiprocessing.connection import wait as wait_for_exit
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


class LocalExecutor(Executor):
    """Worker processes on this machine, each with a pipe of its own.

    The standard library's pool shares pipes and locks among its workers, so that one killed
    while it holds a lock or writes a long result lets the others, and the caller, wait for
    ever. Here the end of a worker is the end of its pipe: the part it had fails with
    `BrokenExecutor`, and the next part starts another.

    Attributes:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._ended = False
        self._workers = [_Worker(self._tasks) for _ in range(workers)]

    @property
    def process_ids(self) -> list[int]:
        """Those of the workers that run."""
        return [each.process.pid for each in self._workers if each.process and each.process.pid]

    def submit(
        self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> "Future[Result]":
        """Run a function in one of the processes.

        Raises:
            RuntimeError: If they were shut down.
        """
        if self._ended:
            raise RuntimeError("the workers were shut down")
        future: Future[Result] = Future()
        self._tasks.put(_Task(future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when all is done; with `cancel_futures`, all that has begun."""
        self._ended = True
        while cancel_futures and not self._tasks.empty():
            with suppress(Empty):
                task = self._tasks.get_nowait()
                if task is not None:
                    task.future.cancel()
        for _ in self._workers:
            self._tasks.put(None)
        for worker in self._workers if wait else ():
            worker.join()


class _Task(NamedTuple):
    """A call, and where its result goes."""

    future: "Future[Any]"
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Worker(threading.Thread):
    """Hands tasks to a process, one at a time; it is started when there is one to hand over."""

    def __init__(self, tasks: "SimpleQueue[_Task | None]") -> None:
        super().__init__(daemon=True)
        self.process: Any = None
        self._pipe: Any = None
        self._tasks = tasks
        self.start()

    def run(self) -> None:
        """Work until there is a None among the tasks."""
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                succeeded, value = self._ask(task)
            except Exception as error:
                succeeded, value = False, error
            (task.future.set_result if succeeded else task.future.set_exception)(value)
        self._end()

    def _ask(self, task: _Task) -> tuple[bool, Any]:
        """Return what the process says: whether it succeeded, and the result or the error."""
        if self.process is None:
            self._begin()
        call = pickle.dumps(task[1:])
        try:
            self._pipe.send_bytes(call)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            self._end()
            raise BrokenExecutor("a worker died") from error
        succeeded, value = pickle.loads(answer)
        return succeeded, value

    def _begin(self) -> None:
        # Spawned, as a forked process would inherit locks of compiled code and of threads.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def _end(self) -> None:
        if self.process is not None:
            self._pipe.close()
            self.process.join()
            self.process = None


def _work(pipe: Any) -> None:
    """Do what comes through the pipe until it is closed; interrupts are left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_outcome(pipe.recv_bytes()))


def _outcome(call: bytes) -> bytes:
    """Make a call, and pickle whether it succeeded and the result or the error."""
    try:
        function, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, function(*args, **kwargs)))
    except Exception as error:
        return pickle.dumps((False, error))


def _end_with(sentinel: int) -> None:
    wait_for_exit([sentinel])
    os._exit(1)
