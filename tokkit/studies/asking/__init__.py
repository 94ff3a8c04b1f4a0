"""Asking models: requests, the backends that answer them, and a runner that can be resumed.

`ask` has requests answered by what `open_backend` opens, and keeps every answer in an
`AnswerCache` as it comes.
"""

from tokkit.studies.asking.backends import BackendOptions, open_backend
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
    "BackendOptions",
    "Budget",
    "Choice",
    "Decoding",
    "Message",
    "Pace",
    "Request",
    "TokenLogprob",
    "TryAgain",
    "ask",
    "open_backend",
]
