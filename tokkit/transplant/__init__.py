"""Moving a pretrained model onto another tokenizer."""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.transplant.context import Settings as Settings
    from tokkit.transplant.methods import METHODS as METHODS
    from tokkit.transplant.options import Options as Options
    from tokkit.transplant.plan import Plan as Plan
    from tokkit.transplant.preparing import prepare as prepare
    from tokkit.transplant.run import transplant as transplant

_HOMES = {
    "METHODS": "methods",
    "Options": "options",
    "Plan": "plan",
    "Settings": "context",
    "prepare": "preparing",
    "transplant": "run",
}

__all__ = ["METHODS", "Options", "Plan", "Settings", "prepare", "transplant"]

__getattr__ = imports(__name__, _HOMES)
