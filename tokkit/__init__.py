"""tokkit: learn, transplant, unbind and study the tokenizers of language models."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tokkit.formats import load as load
    from tokkit.formats import save as save
    from tokkit.tokenizer import Tokenizer as Tokenizer
    from tokkit.vocab import Vocabulary as Vocabulary

_HOMES = {
    "Tokenizer": "tokkit.tokenizer",
    "Vocabulary": "tokkit.vocab",
    "load": "tokkit.formats",
    "save": "tokkit.formats",
}

__all__ = ["Tokenizer", "Vocabulary", "__version__", "load", "save"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: ``import tokkit`` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tokkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
