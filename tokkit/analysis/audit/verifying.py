"""Asking a model to repeat its tokens: of what it was trained on, it can."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tokkit.errors import MissingExtraError, ModelError
from tokkit.progress import Progress
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokkit.analysis.audit.undertrained_result import Undertrained

_REPEATS = 12


def verified(
    found: "Undertrained", folder: str, count: int, progress: Progress
) -> "Undertrained":
    """Ask for the first candidates, and for as many tokens from the middle of the indicator.

    Args:
        found: The candidates.
        folder: Where the model is.
        count: How many to ask for.
        progress: Told ``("asking the model", tokens done, tokens)``.

    Raises:
        MissingExtraError: If torch or transformers is not installed.
        ModelError: If the model cannot be loaded.
    """
    asker = _Asker(folder, found.tokenizer)
    candidates = found.candidates[:count]
    ordered = found.tested[found.values[found.tested].argsort(kind="stable")].tolist()
    start = max(0, (len(ordered) - len(candidates)) // 2)
    middle = [
        token for token in ordered[start : start + len(candidates)] if token not in candidates
    ]
    asked: dict[int, float] = {}
    for token in [*candidates, *middle]:
        progress("asking the model", len(asked), len(candidates) + len(middle))
        asked[token] = asker.probability(token)
    return replace(
        found,
        probabilities={token: asked[token] for token in candidates},
        controls={token: asked[token] for token in middle},
    )


class _Asker:
    """A model, and the prompts that make it repeat a token."""

    def __init__(self, folder: str, tokenizer: Tokenizer) -> None:
        try:
            from tokkit.lm import hf_load
        except ImportError as error:
            raise MissingExtraError(error.name or "torch", "torch") from error
        self._model = hf_load.load_model(folder, "auto", "auto")
        try:
            self._start, _ = hf_load.start_and_ends(self._model, tokenizer, None, None, None)
        except ModelError:
            self._start = ()
        self._tokenizer = tokenizer

    def probability(self, token: int) -> float:
        """Return the highest probability of a token over three prompts.

        The prompts: the token by itself again and again, of which every place counts; between
        quotation marks, to be said again; and in a list of words that are all written twice.
        """
        again = [token] * _REPEATS
        quoted = [*self._ids('Say "'), token, *self._ids('" again: "')]
        listed = [*self._ids("cat|cat\nhouse|house\nred|red\n"), token, *self._ids("|")]
        return max(
            self._highest(again, token, len(self._start)),
            self._highest(quoted, token, -1),
            self._highest(listed, token, -1),
        )

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, parse_specials=False).tolist()
        return ids

    def _highest(self, prompt: Sequence[int], token: int, first: int) -> float:
        """Return the highest probability of a token after the places from `first` on."""
        import torch

        ids = torch.tensor([[*self._start, *prompt]], device=self._model.device)
        with torch.inference_mode():
            logits: Any = self._model(input_ids=ids).logits[0, first:].float()
        return float(logits.softmax(-1)[:, token].max())
