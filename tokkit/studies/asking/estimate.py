"""What asking will cost, before anything is asked.

The tokens of a chat are those of its contents and some that the server puts around them, which
`tokkit.chats` knows.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tokkit.chats import chat_overhead
from tokkit.prices import Price, in_dollars
from tokkit.studies.asking.budget import Budget
from tokkit.studies.asking.request import Answer, Request
from tokkit.tokenizer import Tokenizer

CHARACTERS_PER_TOKEN = 4
"""The usual guess for English text, where there is no tokenizer to count with."""


def prompt_tokens(
    requests: Sequence[Request], *, model: str = "", tokenizer: Tokenizer | None = None
) -> list[int]:
    """Count the tokens of each request.

    Args:
        requests: What would be asked.
        model: Whose chats: the name decides what is put around messages.
        tokenizer: The model's own; None: a token for each four characters, which is a guess.
    """
    overhead = chat_overhead(model)
    sizes = _sizes((text for each in requests for text in _contents(each)), tokenizer)
    return [
        sum(sizes[text] for text in _contents(each))
        + (len(each.messages) * overhead.message + overhead.request if each.messages else 0)
        for each in requests
    ]


def _contents(request: Request) -> list[str]:
    """Return the texts of a request."""
    if request.prompt is not None:
        return [request.prompt]
    return [message.content for message in request.messages]


def _sizes(texts: Iterable[str], tokenizer: Tokenizer | None) -> dict[str, int]:
    """Count the tokens of texts, each of them once."""
    different = list(dict.fromkeys(texts))
    if tokenizer is None:
        return {text: math.ceil(len(text) / CHARACTERS_PER_TOKEN) for text in different}
    ids = tokenizer.encode_batch(different, parse_specials=False)
    return dict(zip(different, map(len, ids), strict=True))


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What asking will take.

    Attributes:
        model: Who is asked.
        requests: How many requests there are.
        unique: How many differ.
        cached: How many of those have been answered before.
        prompt_tokens: Of the requests that will be asked.
        completion_tokens: Of their answers: at least, if they say no more than what is true,
            and at most, if each is as long as it may be.
        counted: Whether a tokenizer counted; otherwise it is a guess.
        price: What the model costs; None: unknown.
        batch: Whether the requests are sent as a batch, which may be cheaper.
    """

    model: str
    requests: int
    unique: int
    cached: int
    prompt_tokens: int
    completion_tokens: tuple[int, int]
    counted: bool
    price: Price | None = None
    batch: bool = False

    @property
    def to_ask(self) -> int:
        """How many requests will be asked."""
        return self.unique - self.cached

    @property
    def cost(self) -> tuple[float, float] | None:
        """What they cost at least and at most, in dollars; None if no price is known."""
        if self.price is None:
            return None
        low, high = (
            self.price.cost(self.prompt_tokens, tokens, batch=self.batch)
            for tokens in self.completion_tokens
        )
        return low, high

    def as_json(self) -> dict[str, Any]:
        """Everything it says, as JSON."""
        return {
            "model": self.model,
            "requests": self.requests,
            "unique": self.unique,
            "cached": self.cached,
            "to_ask": self.to_ask,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": list(self.completion_tokens),
            "counted": self.counted,
            "cost": None if self.cost is None else list(self.cost),
            "price": None if self.price is None else _price(self.price),
        }

    def __rich__(self) -> Any:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        low, high = self.completion_tokens
        how = "" if self.counted else " (a guess: a token for four characters)"
        grid.add_row("requests", f"{self.requests:,}, of which {self.unique:,} differ")
        grid.add_row("to ask", f"{self.to_ask:,} ({self.cached:,} have been answered before)")
        grid.add_row("prompt tokens", f"{self.prompt_tokens:,}{how}")
        grid.add_row("answer tokens", f"{low:,} to {high:,}")
        grid.add_row("cost", self._cost())
        return grid

    def _cost(self) -> str:
        """Write the cost, or why there is none."""
        if self.cost is None or self.price is None:
            return f"unknown: no table has the price of {self.model!r} (--prices)"
        low, high = self.cost
        if not self.price.input and not self.price.output:
            return "nothing"
        read = f", read {self.price.read}" if self.price.read else ""
        share = f", × {self.price.batch:g} as a batch" if self.batch else ""
        rates = f"{self.price.input:g} and {self.price.output:g} per million{share}{read}"
        return f"${in_dollars(low)} to ${in_dollars(high)} ({rates})"


def _price(price: Price) -> dict[str, Any]:
    read = None if price.read is None else price.read.isoformat()
    rates = {"input": price.input, "output": price.output, "batch": price.batch}
    return {**rates, "source": price.source, "read": read}


def estimate(
    requests: Sequence[Request],
    *,
    asked: str,
    model: str,
    is_kept: Callable[[str], bool],
    tokenizer: Tokenizer | None = None,
    price: Price | None = None,
    batch: bool = False,
) -> Estimate:
    """Estimate what asking will take.

    Args:
        requests: What would be asked.
        asked: What the digests of the requests are made with: `Backend.model`.
        model: The name that decides what is put around messages.
        is_kept: Whether the answer to the request with this digest is kept already.
        tokenizer: The model's own; None: guess.
        price: What the model costs.
        batch: Whether the requests are sent as a batch.
    """
    different = {request.digest(asked): request for request in requests}
    new = [request for digest, request in different.items() if not is_kept(digest)]
    shortest = [_truth(each) for each in new]
    sizes = _sizes(shortest, tokenizer)
    most = [each.decoding.max_tokens for each in new]
    least = sum(max(1, min(sizes[text], n)) for text, n in zip(shortest, most, strict=True))
    return Estimate(
        model=model,
        requests=len(requests),
        unique=len(different),
        cached=len(different) - len(new),
        prompt_tokens=sum(prompt_tokens(new, model=model, tokenizer=tokenizer)),
        completion_tokens=(least, sum(most)),
        counted=tokenizer is not None,
        price=price,
        batch=batch,
    )


def _truth(request: Request) -> str:
    """Return the shortest answer that can be right."""
    return str(request.facts.get("formatted_truth", request.facts.get("truth", "")))


def make_budget(
    price: Price,
    *,
    limit: float | None = None,
    model: str = "",
    tokenizer: Tokenizer | None = None,
    batch: bool = False,
) -> Budget:
    """Say what requests to a model cost, so that a run can keep within a limit.

    Args:
        price: What the model costs.
        limit: What a run may cost, in dollars; None: it is only counted.
        model: The name that decides what is put around messages.
        tokenizer: The model's own; None: guess.
        batch: Whether the requests are sent as a batch.
    """

    def tokens(request: Request) -> int:
        return prompt_tokens([request], model=model, tokenizer=tokenizer)[0]

    def most(request: Request) -> float:
        return price.cost(tokens(request), request.decoding.max_tokens, batch=batch)

    def charge(request: Request, answer: Answer) -> float:
        told = answer.prompt_tokens
        said = answer.completion_tokens
        return price.cost(
            tokens(request) if told is None else told,
            request.decoding.max_tokens if said is None else said,
            batch=batch,
        )

    return Budget(estimate=most, charge=charge, limit=limit)
