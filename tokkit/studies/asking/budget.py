"""What asking may cost, and what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokkit.studies.asking.request import Answer, Request


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one run may cost, in dollars, and how that is known.

    Attributes:
        estimate: The most that one attempt at a request can cost.
        charge: What a request with this answer did cost.
        limit: What all requests that the run sends may cost together; what is in the cache
            costs nothing. None: there is no limit, but an account.
    """

    estimate: Callable[[Request], float]
    charge: Callable[[Request, Answer], float]
    limit: float | None = None


class Purse:
    """Keeps a budget: what is under way may always come to cost what was estimated.

    Args:
        budget: What to keep; None: nothing costs anything.

    Attributes:
        estimated: The most that what was answered could have cost.
        charged: What was charged, and may be for attempts that failed.
    """

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._reserved = 0.0
        self.estimated = 0.0
        self.charged = 0.0

    def price(self, requests: Sequence[Request]) -> float:
        """Return the most that an attempt at these requests can cost."""
        if self._budget is None:
            return 0.0
        return sum(map(self._budget.estimate, requests))

    def allows(self, price: float) -> bool:
        """Whether another attempt may be made."""
        if self._budget is None or self._budget.limit is None:
            return True
        # Sums are rounded: a budget of just what everything costs is enough.
        limit = self._budget.limit * (1 + 1e-9)
        return self.charged + self._reserved + price <= limit

    def reserve(self, price: float) -> None:
        """Note that an attempt is under way."""
        self._reserved += price

    def fail(self, price: float, *, billed: bool) -> None:
        """Note that it failed, and whether it may have to be paid for."""
        self._reserved -= price
        if billed:
            self.charged += price

    def pay(self, price: float, requests: Sequence[Request], answers: Sequence[Answer]) -> None:
        """Note that it came to an end; refusals of single requests cost nothing."""
        self._reserved -= price
        if self._budget is None:
            return
        for request, answer in zip(requests, answers, strict=True):
            if answer.error is None:
                self.estimated += self._budget.estimate(request)
                self.charged += self._budget.charge(request, answer)
