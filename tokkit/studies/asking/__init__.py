"""Asking models: requests, the backends that answer them, and a runner that can be resumed."""

from tokkit.studies.asking.request import (
    Answer,
    Backend,
    Choice,
    Decoding,
    Message,
    Request,
    TokenLogprob,
)

__all__ = [
    "Answer",
    "Backend",
    "Choice",
    "Decoding",
    "Message",
    "Request",
    "TokenLogprob",
]
