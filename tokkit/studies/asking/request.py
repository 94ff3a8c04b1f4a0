"""What is asked of a model, and what comes back: the words all backends share."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class Message(NamedTuple):
    """One message of a chat.

    Attributes:
        role: Who speaks.
        content: What is said.
    """

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How an answer is drawn.

    Attributes:
        max_tokens: The most tokens an answer may have.
        temperature: 0 takes the likeliest token each time.
        seed: Of the draws, for backends that have one; None leaves it to them.
        top_logprobs: How many alternatives to report for each token; 0: no log probabilities.
        stop: Texts that end an answer.
    """

    max_tokens: int = 32
    temperature: float = 0.0
    seed: int | None = 0
    top_logprobs: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing to ask.

    Attributes:
        key: What the caller calls it; unique in one study, the same in every run of it.
        messages: The chat, if it is one.
        prompt: The text to continue, if it is not a chat.
        decoding: How the answer is drawn.
        facts: What the caller knows of the problem, such as its true answer and which number
            the problem has: for simulated and recorded answers. No model is told.

    Raises:
        ValueError: Unless there is either a chat or a prompt.
    """

    key: str
    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    decoding: Decoding = field(default_factory=Decoding)
    facts: Mapping[str, Any] = field(default_factory=lambda: NO_FACTS, compare=False)

    def __post_init__(self) -> None:
        if bool(self.messages) == (self.prompt is not None):
            raise ValueError(f"request {self.key!r} needs either messages or a prompt")

    def digest(self, model: str) -> str:
        """Name what is asked of which model by its content, 64 hexadecimal digits (SHA-256).

        Two requests with equal digests are asked once, and an answer that is kept under a
        digest is the answer to any of them. Neither key nor facts take part.
        """
        content = {
            "model": model,
            "messages": [list(message) for message in self.messages],
            "prompt": self.prompt,
            "decoding": asdict(self.decoding),
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Choice(NamedTuple):
    """One token that could have been said.

    Attributes:
        token: Its text.
        logprob: Its log probability, in nats.
    """

    token: str
    logprob: float


class TokenLogprob(NamedTuple):
    """A token of an answer.

    Attributes:
        token: Its text.
        logprob: Its log probability, in nats.
        top: The likeliest tokens in its place, the likeliest first.
    """

    token: str
    logprob: float
    top: tuple[Choice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        text: The answer; empty where there is an `error`.
        prompt_tokens: How many tokens the request had, as counted by who answered it.
        completion_tokens: How many the answer has.
        finish_reason: Why it ended, such as ``"stop"`` or ``"length"``.
        logprobs: Its tokens, where they were asked for and given.
        error: Why there is no answer; None if there is one. Such an answer is never kept: a
            later run asks again.
        seconds: How long it took, all attempts included.
    """

    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    error: str | None = None
    seconds: float = 0.0


class TryAgain(Exception):  # noqa: N818 - it becomes an error only if it goes on
    """Requests were not answered this time, and may be if they are asked again.

    Attributes:
        reason: What happened, in one line without any key.
        after: How many seconds whoever was asked wants to be left alone; None: nothing said.
        everyone: Whether that goes for all requests, such as when there were too many.
        billed: Whether the attempt may have to be paid for all the same.
        unreachable: Whether nobody was there to be asked.
    """

    def __init__(
        self,
        reason: str,
        *,
        after: float | None = None,
        everyone: bool = False,
        billed: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.everyone = everyone
        self.billed = billed
        self.unreachable = unreachable


class Backend(Protocol):
    """Something that answers requests; see `tokkit.studies.asking.run` for who retries.

    Attributes:
        model: What is asked, as it goes into `Request.digest`: everything that decides the
            answer and is not in the request, such as the address of a server, the name of its
            model, or a folder and the digest of its weights. Never a key.
        batch_size: How many requests `answer` is best given at once.
        workers: How many calls of `answer` may go on at once, in threads.
        keeps: Whether answers are worth keeping: not those that are simulated or recorded.
    """

    model: str
    batch_size: int
    workers: int
    keeps: bool

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests, in their order; a failure of one is an `Answer` with an error.

        This is one attempt: pacing, retries and what is kept are the runner's business.

        Raises:
            TryAgain: If none of them was answered, and asking again may help.
            TokkitError: If nothing can be answered any more, such as for a wrong key.
        """
        ...
