"""Language models, seen as trees of tokens whose next-token probabilities can be asked for."""

from typing import TYPE_CHECKING, Any

from tokkit.lm.model import LanguageModel, Logprobs, Tree, Usage
from tokkit.lm.ngram import NGramModel

if TYPE_CHECKING:
    from tokkit.lm.hf import HFModel as HFModel

__all__ = ["HFModel", "LanguageModel", "Logprobs", "NGramModel", "Tree", "Usage"]


def __getattr__(name: str) -> Any:
    """Import torch only where a model of torch is asked for."""
    if name != "HFModel":
        raise AttributeError(f"module 'tokkit.lm' has no attribute {name!r}")
    from tokkit.lm.hf import HFModel

    return HFModel
