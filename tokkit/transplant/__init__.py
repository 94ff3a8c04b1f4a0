"""Moving a pretrained model onto another tokenizer."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tokkit.transplant' has no attribute {name!r}")
    return getattr(import_module(f"tokkit.transplant.{_HOMES[name]}"), name)
