"""Asking models: requests, the backends that answer them, and a runner that can be resumed."""

from tokkit.studies.asking.budget import Budget
from tokkit.studies.asking.cache import AnswerCache
from tokkit.studies.asking.pace import Pace
from tokkit.studies.asking.request import (
    Answer,
    Backend,
    Choice,
    Decoding,
    Message,
    Request,
    TokenLogprob,
    TryAgain,
)
from tokkit.studies.asking.run import Account, Asked, ask

__all__ = [
    "Account",
    "Answer",
    "AnswerCache",
    "Asked",
    "Backend",
    "Budget",
    "Choice",
    "Decoding",
    "Message",
    "Pace",
    "Request",
    "TokenLogprob",
    "TryAgain",
    "ask",
]
