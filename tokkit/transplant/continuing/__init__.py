"""Training a transplanted model further: the n-shot stage of ZeTT (arXiv 2405.07883).

`request` says what may be asked for, `text` makes a file of tokens of a corpus, `trained`
chooses the parameters, `saving` writes the folder, `account` says what was done, and `job` does
it all.
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.transplant.continuing.account import Continued as Continued
    from tokkit.transplant.continuing.job import continue_training as continue_training
    from tokkit.transplant.continuing.request import Request as Request

_HOMES = {"Continued": "account", "Request": "request", "continue_training": "job"}

__all__ = ["Continued", "Request", "continue_training"]

__getattr__ = imports(__name__, _HOMES)
