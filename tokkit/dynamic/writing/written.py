"""A text that was written with a large vocabulary, and what that took."""

from dataclasses import dataclass
from typing import Any, Literal

from tokkit.visible import spell_bytes

Finish = Literal["end", "length", "context"]


@dataclass(frozen=True)
class Written:
    """A text that was written.

    Attributes:
        data: Its bytes, without the prompt.
        tokens: The bytes of each of its tokens; that which ends it is not one of them.
        new: How many of them are new tokens.
        base_tokens: How many tokens of the model's own vocabulary the text would have.
        prompt_tokens: How many tokens the prompt had, with what begins texts.
        finish: Why it is over: the model ended it, `max_bytes` were written, or the context
            of the model is full.
        read_seconds: How long reading the prompt took.
        seconds: How long it took to write.
        recall: In which share of the steps the greatest of all logits, before penalties, was
            among the candidates; None: that was not looked at.
        recall_new: The same for the greatest logit of all new tokens.
    """

    data: bytes
    tokens: list[bytes]
    new: int
    base_tokens: int
    prompt_tokens: int
    finish: Finish
    read_seconds: float
    seconds: float
    recall: float | None = None
    recall_new: float | None = None

    @property
    def text(self) -> str:
        """The text; what is not UTF-8 is U+FFFD."""
        return self.data.decode("utf-8", "replace")

    @property
    def tokens_per_second(self) -> float:
        """How many tokens were written in a second."""
        return len(self.tokens) / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        size = len(self.data)
        return {
            "text": self.text,
            "hex": self.data.hex(),
            "tokens": [spell_bytes(token) for token in self.tokens],
            "n_bytes": size,
            "n_tokens": len(self.tokens),
            "new_tokens": self.new,
            "base_tokens": self.base_tokens,
            "bytes_per_token": size / len(self.tokens) if self.tokens else None,
            "bytes_per_base_token": size / self.base_tokens if self.base_tokens else None,
            "prompt_tokens": self.prompt_tokens,
            "finish": self.finish,
            "read_seconds": self.read_seconds,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
            "recall": self.recall,
            "recall_new": self.recall_new,
        }
