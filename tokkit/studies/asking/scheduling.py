"""What is sent when: one loop that decides, fed by the threads that wait for answers."""

import heapq
import itertools
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tokkit.errors import JobError, TokkitError
from tokkit.studies.asking.budget import Purse
from tokkit.studies.asking.crew import Crew
from tokkit.studies.asking.pace import Entry, Gate, Pace, most_tokens
from tokkit.studies.asking.request import Answer, Backend, Request, TryAgain

GRACE = 5.0
"""How many seconds to wait for what is under way when the work is broken off."""
LONGEST_PAUSE = 3600.0
"""A server that wants to be left alone for longer is asked another day."""
MOST_REFUSALS = 10
"""How many times the tries a request has may be spent on refusals while others are answered."""
WORTH_A_WORD = 5.0
"""Which pauses are mentioned, in seconds."""

Task = tuple[str, Request]
"""A request, and the digest it goes by."""
Keep = Callable[[str, Request, Answer], None]

logger = logging.getLogger("tokkit")


@dataclass(order=True)
class _Job:
    """Requests that are sent together, ordered by when they are next.

    Attributes:
        refusals: How often they were refused for a crowd since anybody was answered.
        refused: When that was last.
    """

    due: float
    number: int
    tasks: Sequence[Task] = field(compare=False)
    price: float = field(compare=False)
    tokens: int = field(compare=False)
    began: float = field(compare=False, default=0.0)
    failures: list[TryAgain] = field(compare=False, default_factory=list)
    refusals: int = field(compare=False, default=0)
    refused: float = field(compare=False, default=float("-inf"))
    entry: Entry = field(compare=False, default=Entry(0.0))

    @property
    def requests(self) -> list[Request]:
        return [request for _, request in self.tasks]


class Scheduler:
    """Sends requests and receives answers, in one thread: nothing here needs a lock.

    A request that waits to be sent again keeps its place among the backend's workers, so that
    a server in trouble is not sent all the others meanwhile.

    Args:
        backend: Who answers.
        pace: How often to try.
        gate: How fast.
        purse: What it may cost.
        keep: Told each digest, its request and what came of it, as it comes.

    Attributes:
        attempts: How often something was sent.
    """

    def __init__(
        self, backend: Backend, pace: Pace, gate: Gate, purse: Purse, keep: Keep
    ) -> None:
        self.attempts = 0
        self._size = backend.batch_size
        self._workers = backend.workers
        self._crew: Crew[_Job] = Crew(backend)
        self._pace = pace
        self._gate = gate
        self._purse = purse
        self._keep = keep
        self._draw = random.Random(pace.seed).random
        self._waiting: list[_Job] = []
        self._numbers = itertools.count()
        self._held_until = float("-inf")
        self._told_until = float("-inf")
        self._last_answer = float("-inf")

    def work(self, tasks: Iterable[Task]) -> None:
        """Have all tasks answered that the budget allows.

        Raises:
            TokkitError: What the backend cannot go on after, or whoever keeps the answers.
        """
        new = iter(tasks)
        try:
            while True:
                pause = self._send(new)
                if pause is None and not self._crew.busy:
                    break
                if outcome := self._crew.next(pause):
                    self._receive(*outcome)
        except BaseException:
            self._break_off()
            raise
        finally:
            self._crew.dismiss()
        for job in self._waiting:
            self._fail(job)

    def _send(self, new: Iterable[Task]) -> float | None:
        """Send what may be sent.

        Returns:
            In how many seconds there may be more; None if that depends on what comes back.
        """
        self._refill(new)
        while self._waiting:
            job = self._waiting[0]
            if not self._purse.allows(job.price):
                return None
            pause = max(job.due, self._held_until) - time.monotonic()
            if pause <= 0:
                job.entry = self._gate.enter(time.time(), job.tokens)
                pause = job.entry.wait
            if pause > 0:
                return pause
            heapq.heappop(self._waiting)
            job.began = job.began or time.monotonic()
            self._purse.reserve(job.price)
            self.attempts += len(job.tasks)
            self._crew.send(job, job.requests)
            self._refill(new)
        return None

    def _refill(self, new: Iterable[Task]) -> None:
        """Let new tasks wait, as many as the backend can be asked at once."""
        while len(self._waiting) + self._crew.busy < self._workers:
            tasks = list(itertools.islice(new, self._size))
            if not tasks:
                return
            requests = [request for _, request in tasks]
            price, tokens = self._purse.price(requests), sum(map(most_tokens, requests))
            job = _Job(time.monotonic(), next(self._numbers), tasks, price, tokens)
            heapq.heappush(self._waiting, job)

    def _receive(self, job: _Job, outcome: list[Answer] | BaseException) -> None:
        """Take back what was sent."""
        if isinstance(outcome, TryAgain):
            self._gate.leave(job.entry, time.time(), None if outcome.billed else 0)
            self._purse.fail(job.price, billed=outcome.billed)
            job.failures.append(outcome)
            self._retry(job, outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            self._gate.leave(job.entry, time.time(), _used(outcome))
            self._purse.pay(job.price, job.requests, outcome)
            self._last_answer = time.monotonic()
            self._hurry()
            self._settle(job, outcome)

    def _retry(self, job: _Job, failure: TryAgain) -> None:
        """Let a job wait for its next turn, if it has one."""
        if failure.after is not None and failure.after > LONGEST_PAUSE:
            raise JobError(
                f"{failure.reason}, and wants to be left alone for {failure.after:,.0f} "
                "seconds: run the same again then; what was answered is kept"
            )
        failures, tries = self._count(job, failure), self._pace.tries
        if failures >= tries or len(job.failures) >= MOST_REFUSALS * tries:
            if failure.unreachable and self._last_answer < job.began:
                raise JobError(
                    f"{failure.reason}, {len(job.failures)} times in a row: see that the "
                    "server runs, then run the same again; what was answered is kept"
                )
            self._fail(job)
        else:
            self._put_off(job, failure, failures)

    def _put_off(self, job: _Job, failure: TryAgain, failures: int) -> None:
        """Let a job wait after so many failures, and all if it concerns all."""
        now, draw = time.monotonic(), self._draw()
        wait = self._pace.wait(failures, failure.after, draw)
        pause = 0.0
        if failure.everyone:
            pause = wait if failure.after is None else self._pace.wait(1, failure.after, draw)
            if wait > WORTH_A_WORD and self._told_until < now:
                logger.info("%s: waiting %.0f seconds", failure.reason, wait)
                self._told_until = now + wait
            self._held_until = max(self._held_until, now + pause)
        # All wait as long as that: whoever was refused first is the first to try again.
        job.due = now + wait - pause
        heapq.heappush(self._waiting, job)

    def _count(self, job: _Job, failure: TryAgain) -> int:
        """Count failures, and refusals for a crowd as long as nobody is answered.

        A server that answers as many as it likes, and refuses the others, is not in trouble.
        """
        if failure.everyone:
            job.refusals = 1 if self._last_answer > job.refused else job.refusals + 1
            job.refused = time.monotonic()
        return job.refusals + sum(not each.everyone for each in job.failures)

    def _hurry(self) -> None:
        """Let those that were refused try again: the server answers."""
        now = time.monotonic()
        for job in self._waiting:
            if job.failures and job.failures[-1].everyone:
                job.due = min(job.due, now)
        heapq.heapify(self._waiting)

    def _fail(self, job: _Job) -> None:
        """Give a job up that was sent in vain; one that never was leaves no trace."""
        if job.failures:
            tries = len(job.failures)
            error = job.failures[-1].reason + (f" ({tries} attempts)" if tries > 1 else "")
            self._settle(job, [Answer(error=error)] * len(job.tasks))

    def _settle(self, job: _Job, answers: Sequence[Answer]) -> None:
        """Hand over what came of a job."""
        seconds = round(time.monotonic() - job.began, 3)
        for (digest, request), answer in zip(job.tasks, answers, strict=True):
            self._keep(digest, request, replace(answer, seconds=seconds))

    def _break_off(self) -> None:
        """Keep what still comes in a little while, as it is paid for."""
        if self._crew.busy:
            logger.info("stopping: answers under way have %.0f seconds to come", GRACE)
        deadline = time.monotonic() + GRACE
        while self._crew.busy and (left := deadline - time.monotonic()) > 0:
            if came := self._crew.next(left):
                job, outcome = came
                if isinstance(outcome, list):
                    with suppress(TokkitError):
                        self._settle(job, outcome)


def _used(answers: Sequence[Answer]) -> int | None:
    """Add up the tokens that answers and their requests had; None if any is not known."""
    parts = [part for each in answers for part in (each.prompt_tokens, each.completion_tokens)]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
