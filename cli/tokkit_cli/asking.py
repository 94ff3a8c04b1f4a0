"""From options to answers: what the commands that ask models share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console

if TYPE_CHECKING:
    from tokkit.prices import Price
    from tokkit.results import Provenance
    from tokkit.studies.asking import AnswerCache, Asked, Backend, Request
    from tokkit.studies.asking.estimate import Estimate
    from tokkit.tokenizer import Tokenizer

ANSWERS = "answers.sqlite"
"""Where answers are kept in the folder of a study, if nothing else is said."""
_FREE = ("hf", "replay", "sim")
"""Backends that nobody is paid for."""
_SHOWN_FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class AskingOptions:
    """What the options say; see `tokkit_cli.study_options`."""

    backend: str
    model: str | None = None
    cache: Path | None = None
    seed: int = 0
    rpm: float | None = None
    tpm: float | None = None
    workers: int = 8
    timeout: float = 120.0
    tries: int = 8
    key_variable: str = "OPENAI_API_KEY"
    budget: float | None = None
    prices: Path | None = None
    tokenizer: str | None = None
    pattern: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    plain: bool = False
    batch_size: int | None = None
    column: Sequence[str] = ()

    @classmethod
    def given(cls, context: typer.Context) -> "AskingOptions":
        """Take what was given of them to a command whose parameters have the same names."""
        values = {each.name: context.params.get(each.name) for each in fields(cls)}
        return cls(**{name: value for name, value in values.items() if value is not None})


class Asking:
    """A backend that was opened as the options say, with its prices and its cache.

    Args:
        options: What they say.
        folder: Of the study, where answers are kept if the options name no file.

    Raises:
        TokkitError: If the backend cannot be opened.
    """

    def __init__(self, options: AskingOptions, folder: Path) -> None:
        self._options = options
        self._place = options.cache or folder / ANSWERS
        self._kind = options.backend.partition(":")[0]
        self._is_batch = self._kind == "batch"

    @cached_property
    def backend(self) -> "Backend":
        """Who answers."""
        from tokkit.studies.asking.backends import BackendOptions, open_backend

        given = self._options
        options = BackendOptions(
            workers=given.workers,
            timeout=given.timeout,
            key_variable=given.key_variable,
            seed=given.seed,
            device=given.device,
            dtype=given.dtype,
            tokenizer=given.tokenizer,
            plain=given.plain,
            batch_size=given.batch_size,
            columns=_columns(given.column),
        )
        return open_backend(given.backend, model=given.model, options=options)

    @cached_property
    def name(self) -> str:
        """What the model is called in results and in tables of prices."""
        if self._options.model:
            return self._options.model
        model = self.backend.model
        return model.rpartition(" ")[2] if self._kind == "openai" else model

    @property
    def is_replay(self) -> bool:
        """Whether the answers were recorded, of whatever model the rows name."""
        return self._kind == "replay"

    def provenance(
        self, study: str, inputs: Sequence[Path], seeds: Mapping[str, int]
    ) -> "Provenance":
        """Say where the answers of a study come from; see `tokkit.results.Provenance`."""
        from tokkit.results import Provenance

        return Provenance(
            study=study,
            command=console.command_line(),
            seeds=seeds,
            inputs=inputs,
            tokenizers={"model": self.tokenizer.digest} if self.tokenizer else {},
            model=self.backend.model,
        )

    @cached_property
    def tokenizer(self) -> "Tokenizer | None":
        """The model's tokenizer, if it is known."""
        if self._kind == "hf":
            return getattr(self.backend, "tokenizer", None)
        if self._options.tokenizer is None:
            return None
        from tokkit_cli.tokenizers import load_tokenizer

        return load_tokenizer(self._options.tokenizer, self._options.pattern)

    @cached_property
    def price(self) -> "Price | None":
        """What the model costs; None if no table says so.

        Raises:
            UsageError: If it has to be known, because there is a budget, and is not.
        """
        from tokkit.prices import Price, find_price

        if self._kind in _FREE:
            return Price(self.name, 0.0, 0.0)
        found = find_price(self.name, self._options.prices)
        if found is None and self._options.budget is not None:
            raise UsageError(
                f"--budget needs the price of {self.name!r}, which no table has: write one and "
                "name it with --prices"
            )
        return found

    def estimate(self, requests: "Sequence[Request]") -> "Estimate":
        """Estimate what asking takes; nothing is asked, and no file is made."""
        from tokkit.studies.asking import AnswerCache
        from tokkit.studies.asking.estimate import estimate

        with AnswerCache(self._place if self._place.exists() else None) as cache:
            return estimate(
                requests,
                asked=self.backend.model,
                model=self.name,
                is_kept=lambda digest: self._is_kept(cache, digest),
                tokenizer=self.tokenizer,
                price=self.price,
                batch=self._is_batch,
            )

    def _is_kept(self, cache: "AnswerCache", digest: str) -> bool:
        return self.backend.keeps and cache.get(digest) is not None

    def ask(self, requests: "Sequence[Request]") -> "Asked":
        """Have requests answered, with progress and an account on standard error.

        Raises:
            TokkitError: See `tokkit.studies.asking.ask`.
        """
        from tokkit.studies.asking import AnswerCache, Pace, ask
        from tokkit.studies.asking.estimate import make_budget

        given = self._options
        budget = None
        if self.price is not None:
            budget = make_budget(
                self.price,
                limit=given.budget,
                model=self.name,
                tokenizer=self.tokenizer,
                batch=self._is_batch,
            )
        pace = Pace(rpm=given.rpm, tpm=given.tpm, tries=given.tries)
        self._place.parent.mkdir(parents=True, exist_ok=True)
        with console.show_progress() as progress, AnswerCache(self._place) as cache:
            asked = ask(
                requests, self.backend, cache=cache, pace=pace, budget=budget, progress=progress
            )
        self._tell(requests, asked)
        return asked

    def _tell(self, requests: "Sequence[Request]", asked: "Asked") -> None:
        """Say what was done, what it cost against what was estimated, and what failed."""
        done = asked.account
        told = f"{done.answered:,} answers in {done.seconds:,.1f} s"
        if done.from_cache:
            told += f", {done.from_cache:,} from earlier runs"
        if done.attempts > done.answered + done.failed:
            told += f", {done.attempts:,} attempts"
        console.note(told)
        if comparison := self.compare(requests, asked):
            console.note(comparison)
        failures = Counter(
            each.error for each in asked.answers if each is not None and each.error is not None
        )
        for reason, count in failures.most_common(_SHOWN_FAILURES):
            console.note(f"{console.count(count, 'request')} without an answer: {reason}")
        if done.not_asked:
            console.note(f"{done.not_asked:,} requests were not asked: the budget is spent")

    def compare(self, requests: "Sequence[Request]", asked: "Asked") -> str:
        """Compare what was estimated with what was told; empty if there is no telling.

        Tokens are those of all answers, kept ones too; dollars are those of this run.
        """
        from tokkit.prices import in_dollars
        from tokkit.studies.asking.estimate import prompt_tokens

        pairs = [
            (request, answer.prompt_tokens)
            for request, answer in zip(requests, asked.answers, strict=True)
            if answer is not None and answer.prompt_tokens
        ]
        known = self._options.model or self._kind in ("openai", "batch")
        if not pairs or not known:  # nobody's way to write chats
            return ""
        counted = prompt_tokens(
            [request for request, _ in pairs], model=self.name, tokenizer=self.tokenizer
        )
        actual, estimated = sum(tokens for _, tokens in pairs), sum(counted)
        way = "counted" if self.tokenizer else "guessed"
        off = estimated / actual - 1
        line = f"prompt tokens: {estimated:,} {way}, {actual:,} told ({off:+.1%})"
        done = asked.account
        if done.charged:
            most, charged = in_dollars(done.estimated or 0.0), in_dollars(done.charged)
            line += f"; dollars: {most} at most, {charged} actual"
        return line


def _columns(given: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=COLUMN`` of each ``--column``.

    Raises:
        UsageError: If one has no ``=``.
    """
    pairs = [each.partition("=") for each in given]
    for (name, equals, column), written in zip(pairs, given, strict=True):
        if not (name and equals and column):
            raise UsageError(f"--column {written}: write NAME=COLUMN, as in response=output")
    return {name: column for name, _, column in pairs}


def findings(asking: Asking, asked: "Asked") -> dict[str, Any]:
    """Return what a summary says of asking: nothing that another run would say otherwise."""
    answers = [
        answer for answer in asked.answers if answer is not None and answer.error is None
    ]
    return {
        "backend": asking.backend.model,
        "answers": len(answers),
        "failed": len(asked.answers) - len(answers),
        "prompt_tokens": sum(answer.prompt_tokens or 0 for answer in answers),
        "completion_tokens": sum(answer.completion_tokens or 0 for answer in answers),
    }


def is_incomplete(asked: "Asked") -> bool:
    """Whether some requests have no answer, so that the command ends with code 1."""
    return bool(asked.account.failed or asked.account.not_asked)
