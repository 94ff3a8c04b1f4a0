"""Threads that wait for a backend, so that the runner need not."""

import queue
import threading
from collections.abc import Sequence
from typing import Generic, TypeVar

from tokkit.studies.asking.request import Answer, Backend, Request

Job = TypeVar("Job")


class Crew(Generic[Job]):
    """As many threads as a backend has calls that may go on at once, each making one call.

    They are daemons: one that waits for a server keeps no process from ending.

    Args:
        backend: What they call.

    Attributes:
        busy: How many calls are under way, or have ended unseen.
    """

    def __init__(self, backend: Backend) -> None:
        self.busy = 0
        self._backend = backend
        self._threads = 0
        self._work: queue.SimpleQueue[tuple[Job, Sequence[Request]] | None]
        self._work = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[Job, list[Answer] | BaseException]]
        self._outcomes = queue.SimpleQueue()

    def send(self, job: Job, requests: Sequence[Request]) -> None:
        """Have requests answered; `next` brings `job` back with what came of it."""
        self.busy += 1
        if self.busy > self._threads:
            threading.Thread(target=self._call, daemon=True, name="asking").start()
            self._threads += 1
        self._work.put((job, requests))

    def next(self, seconds: float | None) -> tuple[Job, list[Answer] | BaseException] | None:
        """Wait for the next call to end; None if none has after so many seconds."""
        try:
            outcome = self._outcomes.get(timeout=seconds)
        except queue.Empty:
            return None
        self.busy -= 1
        return outcome

    def dismiss(self) -> None:
        """Let each thread end with the call it is in."""
        for _ in range(self._threads):
            self._work.put(None)

    def _call(self) -> None:
        """Call the backend until dismissed."""
        while (work := self._work.get()) is not None:
            job, requests = work
            try:
                answers = self._backend.answer(requests)
            except BaseException as error:
                self._outcomes.put((job, error))
            else:
                self._outcomes.put((job, answers))
