"""Asking many requests: each once, as fast as allowed, as if never interrupted.

Who does what: a backend makes one attempt and knows how whoever it asks is spoken to; the
runner knows nothing of that, and decides what is asked when, and how often.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tokkit.progress import Progress, silent
from tokkit.studies.asking.budget import Budget, Purse
from tokkit.studies.asking.cache import AnswerCache
from tokkit.studies.asking.pace import Gate, Pace
from tokkit.studies.asking.request import Answer, Backend, Request
from tokkit.studies.asking.scheduling import Scheduler, Task


@dataclass(kw_only=True)
class Account:
    """What a run did.

    Attributes:
        requests: How many there were.
        unique: How many different ones: equal requests are asked once.
        from_cache: How many of these had been answered by an earlier run.
        answered: How many were answered by this one.
        failed: How many were asked in vain; a later run asks them again.
        not_asked: How many the budget did not allow to ask.
        attempts: How often requests were sent, retries included.
        prompt_tokens: Tokens of the requests this run got answers to, as far as told.
        completion_tokens: Tokens of those answers, as far as told.
        estimated: The most that what was answered could have cost, in dollars, by the
            budget's estimate; None without a budget.
        charged: What was charged, in dollars; None without a budget. An attempt which failed
            in a way that may cost something counts with its estimate.
        seconds: How long the run took.
    """

    requests: int = 0
    unique: int = 0
    from_cache: int = 0
    answered: int = 0
    failed: int = 0
    not_asked: int = 0
    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: float | None = None
    charged: float | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Asked:
    """What came of it.

    Attributes:
        answers: One for each request, in their order; with an error where it failed, None
            where it was not asked because of the budget.
        account: What was done.
    """

    answers: list[Answer | None]
    account: Account


def ask(
    requests: Sequence[Request],
    backend: Backend,
    *,
    cache: AnswerCache,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    budget: Budget | None = None,
    progress: Progress = silent,
) -> Asked:
    """Have requests answered; those which an earlier run got answers to are not asked again.

    Args:
        requests: What to ask. Equal ones are asked once, and all get the answer; but answers
            that are not worth keeping, as they were recorded or made up, go by the key too.
        backend: Who answers.
        cache: Where answers are looked up first, and kept as soon as they arrive; not used
            for answers if the backend's are not worth keeping.
        pace: How fast, and how often to try.
        budget: What it may cost.
        progress: Told ``("asking", requests done, different requests)``.

    Raises:
        TokkitError: What the backend or the cache cannot go on after. Answers that are under
            way are waited for a little, and kept.
        KeyboardInterrupt: As it came, after the same.
    """
    began = time.monotonic()
    digests = [_identify(request, backend) for request in requests]
    unique: dict[str, Request] = {}
    for digest, request in zip(digests, requests, strict=True):
        unique.setdefault(digest, request)
    results = _Results(unique, backend, cache, progress)
    purse = Purse(budget)
    gate = Gate(pace, cache.database, backend.model)
    scheduler = Scheduler(backend, pace, gate, purse, results.keep)
    scheduler.work(_by_size(results.missing(), backend))
    account = results.account
    account.requests, account.attempts = len(requests), scheduler.attempts
    account.not_asked = len(unique) - len(results.answers)
    if budget is not None:
        account.estimated, account.charged = purse.estimated, purse.charged
    account.seconds = round(time.monotonic() - began, 3)
    return Asked([results.answers.get(digest) for digest in digests], account)


def _identify(request: Request, backend: Backend) -> str:
    """Return what requests share that are asked once."""
    digest = request.digest(backend.model)
    return digest if backend.keeps else f"{digest} {request.key}"


def _by_size(tasks: list[Task], backend: Backend) -> list[Task]:
    """Let requests that are asked together be of a size, the longest first.

    Those with too little memory to be answered show at once, and little is padded.
    """
    if backend.batch_size == 1:
        return tasks
    return sorted(tasks, key=lambda task: -_length(task[1]))


def _length(request: Request) -> int:
    if request.prompt is not None:
        return len(request.prompt)
    return sum(len(message.content) for message in request.messages)


class _Results:
    """Answers by digest, and the account of how they came."""

    def __init__(
        self,
        unique: Mapping[str, Request],
        backend: Backend,
        cache: AnswerCache,
        progress: Progress,
    ) -> None:
        self.answers: dict[str, Answer] = {}
        self.account = Account(unique=len(unique))
        self._unique = unique
        self._model = backend.model
        self._cache = cache if backend.keeps else None
        self._progress = progress

    def missing(self) -> list[Task]:
        """Look everything up, and return what is not there."""
        if self._cache is not None:
            for digest in self._unique:
                answer = self._cache.get(digest)
                if answer is not None:
                    self.answers[digest] = answer
        self.account.from_cache = len(self.answers)
        self._progress("asking", len(self.answers), len(self._unique))
        return [each for each in self._unique.items() if each[0] not in self.answers]

    def keep(self, digest: str, request: Request, answer: Answer) -> None:
        """Take an answer, and keep it for later runs if it is one."""
        self.answers[digest] = answer
        if answer.error is not None:
            self.account.failed += 1
        else:
            if self._cache is not None:
                self._cache.put(digest, self._model, request, answer)
            self.account.answered += 1
            self.account.prompt_tokens += answer.prompt_tokens or 0
            self.account.completion_tokens += answer.completion_tokens or 0
        self._progress("asking", len(self.answers), len(self._unique))
