"""Exact probabilities of bytes from language models of tokens."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokkit.byteprobs.bytelm import ByteLM as ByteLM
    from tokkit.byteprobs.ensemble import Ensemble as Ensemble
    from tokkit.byteprobs.ensemble import ProxyTuning as ProxyTuning

_HOMES = {
    "ByteLM": "tokkit.byteprobs.bytelm",
    "Ensemble": "tokkit.byteprobs.ensemble",
    "ProxyTuning": "tokkit.byteprobs.ensemble",
}

__all__ = ["ByteLM", "Ensemble", "ProxyTuning"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tokkit.byteprobs' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
