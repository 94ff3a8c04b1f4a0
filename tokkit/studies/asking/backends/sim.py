"""Simulated models whose error rate is known, for checking what statistics make of them.

Which problems are answered wrongly is drawn by hashing the seed with the problem, not with how
it is put: the same problem in two formats is right in both or wrong in both, whatever the order
of the requests. The kind of error is not part of it either.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tokkit.errors import UsageError
from tokkit.studies.asking.request import Answer, Request


class SimulatedBackend:
    """Answers from the facts of a request: ``truth`` (an integer or a text), and the rest.

    A true answer is ``formatted_truth``, or else the truth in the ``answer_format`` of the
    number study, or else as it is. A wrong one is written in the same way.

    Attributes:
        model: ``sim:NAME:RATE`` and the seed.
        name: The kind of error.
        rate: The share of problems answered wrongly.
    """

    batch_size = 1000
    workers = 1
    keeps = False

    def __init__(self, name: str, rate: float | None = None, *, seed: int = 0) -> None:
        """Choose what goes wrong, and how often.

        Args:
            name: One of `ERRORS`.
            rate: From 0 to 1; None: 0 of ``perfect``, 1 of the others.
            seed: Decides which problems are answered wrongly.

        Raises:
            UsageError: If there is no such kind of error or no such rate.
        """
        if name not in ERRORS:
            raise UsageError(f"no simulated model {name!r}: take one of {', '.join(ERRORS)}")
        rate = (0.0 if name == "perfect" else 1.0) if rate is None else rate
        if name == "perfect" and rate:
            raise UsageError("sim:perfect makes no errors: leave the rate out")
        if not 0 <= rate <= 1:
            raise UsageError(f"sim:{name}: a rate of {rate:g} is not from 0 to 1")
        self.name, self.rate, self._seed = name, rate, seed
        self.model = f"sim:{name}:{rate:g} (seed {seed})"

    @classmethod
    def parse(cls, spec: str, *, seed: int = 0) -> "SimulatedBackend":
        """Read ``NAME[:RATE]``, what follows ``sim:``.

        Raises:
            UsageError: If it names no simulated model.
        """
        name, colon, given = spec.partition(":")
        try:
            rate = float(given) if colon else None
        except ValueError:
            raise UsageError(f"sim:{spec}: {given!r} is no rate: write such as 0.2") from None
        return cls(name, rate, seed=seed)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests, in their order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        truth = request.facts.get("truth")
        if truth is None:
            return Answer(error="a simulated model needs the true answer, which is not known")
        if not isinstance(truth, str):
            truth = int(truth)
        draw = self._draw(request)
        right = _written(truth, request.facts)
        if draw("wrong") >= self.rate:
            return Answer(text=right, finish_reason="stop")
        wrong = ERRORS[self.name](truth, draw)
        if request.facts.get("formatted_truth") is None:
            return Answer(text=_written(wrong, request.facts), finish_reason="stop")
        # What is before or after the number, such as the repeated problem, stays.
        plain = {
            name: each for name, each in request.facts.items() if name != "formatted_truth"
        }
        before, found, after = right.rpartition(_written(truth, plain))
        text = f"{before}{_written(wrong, plain)}{after}" if found else _written(wrong, plain)
        return Answer(text=text, finish_reason="stop")

    def _draw(self, request: Request) -> Callable[[str], float]:
        """Return numbers from 0 to 1 that depend on the seed, the problem and a name alone."""
        problem = request.facts.get("problem", request.key)

        def draw(name: str) -> float:
            text = f"{self._seed}\n{name}\n{problem}"
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
            return int.from_bytes(digest.digest(), "big") / 2**64

        return draw


Truth = int | str
Draw = Callable[[str], float]


def _written(value: Truth, facts: Mapping[str, Any]) -> str:
    """Write an answer as it was asked for."""
    if facts.get("formatted_truth") is not None:
        return str(facts["formatted_truth"])
    name = facts.get("answer_format")
    if name is None or isinstance(value, str):
        return str(value)
    from tokkit.studies.numbers.formats import parse_format

    return str(parse_format(str(name), int(facts.get("chunk_size", 3))).write(value))


def _off_by_one(truth: Truth, draw: Draw) -> Truth:
    """Change one digit by one; of a text, leave out one character."""
    if isinstance(truth, str):
        place = int(draw("place") * len(truth))
        return truth[:place] + truth[place + 1 :] if truth else "?"
    step: int = 10 ** int(draw("place") * len(str(abs(truth))))
    return truth + step if draw("sign") < 0.5 or abs(truth) < step else truth - step


def _left_aligned(truth: Truth, draw: Draw) -> Truth:
    """Change the fourth digit from the left, or the last: as if groups were aligned there."""
    text = truth if isinstance(truth, str) else str(abs(truth))
    place = min(3, len(text) - 1)
    if isinstance(truth, str):
        return text[:place] + text[place + 1 :] if text else "?"
    digit = (int(text[place]) + 1 + int(draw("digit") * 9)) % 10
    wrong = int(f"{text[:place]}{digit}{text[place + 1 :]}")
    return -wrong if truth < 0 else wrong


def _undercount(truth: Truth, draw: Draw) -> Truth:
    """Leave out one to three; there is nothing below nought, so of that one more."""
    less = 1 + int(draw("less") * 3)
    if isinstance(truth, str):
        return truth[:-less] if truth else "?"
    return max(0, truth - less) if truth > 0 else truth + 1


def _perfect(truth: Truth, draw: Draw) -> Truth:
    return truth


ERRORS: Mapping[str, Callable[[Truth, Draw], Truth]] = {
    "perfect": _perfect,
    "off-by-one": _off_by_one,
    "left-aligned": _left_aligned,
    "undercounter": _undercount,
}
"""How each simulated model goes wrong."""
