"""The frozen language model: run with any embeddings, its own weights untouched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
import transformers
from torch.func import functional_call

from tokkit import formats
from tokkit.errors import FormatError, ModelError, UsageError
from tokkit.hypernet.source import SourceRows
from tokkit.lm.device import find_device
from tokkit.lm.embed import embed
from tokkit.lm.hf_load import context_of, load_model, quiet, start_and_ends
from tokkit.lm.roles import named_specials


@dataclass(frozen=True)
class Frame:
    """What stands around every text that the model reads, as ids of its own tokenizer.

    Attributes:
        before: The ids before a text.
        after: Those behind it: masked models only.
        mask: What stands for a hidden token; None: the model foretells the next one.
    """

    before: tuple[int, ...]
    after: tuple[int, ...] = ()
    mask: int | None = None


class Backbone:
    """A language model whose embeddings are given anew at each call.

    Attributes:
        name: What it was loaded as.
        model: The torch model; none of its weights is trained.
        source: Its own rows.
        frame: What stands around a text.
        context: The most tokens it takes; None: it does not say.
    """

    def __init__(self, name: str, model: Any, source: SourceRows, frame: Frame) -> None:
        self.name = name
        self.model = model.eval().requires_grad_(requires_grad=False)
        self.source = source
        self.frame = frame
        self.context = context_of(model.config.get_text_config())
        head = model.get_output_embeddings()
        if head is None:
            raise ModelError(f"{name}: has no output head that predicts tokens")
        self._output = _name_of(model, head.weight)
        bias = getattr(head, "bias", None)
        self._biases = [] if bias is None else _names_of(model, bias)

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        tokenizer: str | None = None,
        start: str | None = None,
        device: str = "auto",
    ) -> Self:
        """Load a causal or masked language model.

        Args:
            model: A folder written by ``save_pretrained``, or a Hub id.
            tokenizer: Where its tokenizer is, if not there.
            start: What to put before every text, if not what the model's files say; causal
                models only.
            device: Where to run it.

        Raises:
            ModelError: If it cannot be used.
            UsageError: If `start` is given for a masked model.
        """
        is_masked = _is_masked(str(model))
        if is_masked and start is not None:
            raise UsageError(
                f"{model}: a masked model's tokenizer says how texts begin: leave out --start"
            )
        files = tokenizer or str(model)
        try:
            loaded = formats.load(files)
        except FormatError as error:
            raise ModelError(
                f"{error}; name the model's tokenizer (--model-tokenizer)"
            ) from error
        names = named_specials(files)
        if is_masked:
            module = _load_masked(str(model), device)
            frame = _masked_frame(str(model), names, loaded.vocab.specials)
        else:
            module = load_model(str(model), device, "auto")
            before, _ = start_and_ends(module, loaded, names, start, None)
            frame = Frame(before)
        return cls(str(model), module, SourceRows.of(module, loaded), frame)

    def logits(
        self,
        ids: torch.Tensor,
        embeddings: Sequence[torch.Tensor],
        bias: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run the model on tokens of another vocabulary.

        Args:
            ids: The tokens, ``int64[batch, length]``, as rows of the embeddings.
            embeddings: The input embedding, and the head if that is another matrix:
                ``float[vocab, hidden]`` each.
            bias: What is added to the logits, if the model has that, ``float[vocab]``.
            mask: Where there is a token, ``int64[batch, length]``; None: everywhere.

        Returns:
            ``float[batch, length, vocab]``.
        """
        given = {self._output: embeddings[-1]}
        if bias is not None:
            given |= dict.fromkeys(self._biases, bias)
        # Not as ids: RoBERTa's positions leave out the id of padding, which is another token's.
        embedded = embed(self.model.get_input_embeddings(), embeddings[0], ids)
        mask = torch.ones_like(ids) if mask is None else mask
        call: dict[str, Any] = {"inputs_embeds": embedded, "attention_mask": mask}
        if self.frame.mask is None:
            call["use_cache"] = False
        found: torch.Tensor = functional_call(self.model, given, (), call).logits
        return found


def _name_of(model: Any, weight: torch.Tensor) -> str:
    """Return the name of a parameter."""
    found = _names_of(model, weight)
    if not found:
        raise ModelError(f"{type(model).__name__}: its embeddings are no parameters of it")
    return found[0]


def _names_of(model: Any, weight: torch.Tensor) -> list[str]:
    """Return the names of a parameter, all of them where it is shared."""
    pairs = model.named_parameters(remove_duplicate=False)
    return [name for name, value in pairs if value is weight]


def _is_masked(model: str) -> bool:
    """Tell whether a model foretells hidden tokens instead of the next one."""
    place = Path(model)
    if place.is_dir() and not (place / "config.json").is_file():
        raise ModelError(
            f"{model}: no config.json in this folder: give one written by save_pretrained"
        )
    try:
        with quiet():
            config: Any = transformers.AutoConfig.from_pretrained(model)
    except Exception as error:
        raise ModelError(f"{model}: no configuration of a model there ({error})") from error
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{model}: is an encoder-decoder: give a causal or a masked language model"
        )
    return any(str(each).endswith("ForMaskedLM") for each in config.architectures or ())


def _load_masked(model: str, device: str) -> Any:
    """Load a masked language model in evaluation mode."""
    loader: Any = transformers.AutoModelForMaskedLM
    try:
        with quiet():
            return loader.from_pretrained(model).to(find_device(device)).eval()
    except Exception as error:
        raise ModelError(f"{model}: no masked language model can be loaded: {error}") from error


def _masked_frame(model: str, names: dict[str, str], specials: Any) -> Frame:
    """Find the special tokens that a masked model needs."""
    found = [specials.get(names.get(role, "")) for role in ("cls", "sep", "mask")]
    if found[2] is None:
        raise ModelError(f"{model}: its tokenizer names no mask token (mask_token)")
    before, after = (() if each is None else (each,) for each in found[:2])
    return Frame(before, after, found[2])
