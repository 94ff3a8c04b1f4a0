"""Language models, seen as trees of tokens whose next-token probabilities can be asked for."""

from tokkit.lm.model import LanguageModel, Logprobs, Tree, Usage

__all__ = ["LanguageModel", "Logprobs", "Tree", "Usage"]
