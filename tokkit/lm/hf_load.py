"""What files and configurations say: model, tokenizer, where texts begin, the context."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from tokkit.errors import FormatError, ModelError
from tokkit.formats import load
from tokkit.lm.device import find_device
from tokkit.lm.roles import BEGINS, FINISHES, special_id
from tokkit.tokenizer import Tokenizer

# The types of these differ between versions of transformers.
_AUTO: Any = transformers.AutoModelForCausalLM
_LOGGING: Any = transformers.utils.logging
_LIMITS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
"""What configurations call the most tokens a sequence may have."""
_GROWING = ("dynamic", "longrope")
"""Rotations that depend on how long a sequence will be, once it is longer than in training."""


def load_model(path: str, device: str, dtype: str) -> Any:
    """Load a torch model in evaluation mode.

    Args:
        path: A folder or a Hub id.
        device: Such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where there is some.
        dtype: Such as ``"bfloat16"``; ``"auto"``: as the weights were saved.

    Raises:
        ModelError: If there is no model, or weights are missing.
    """
    place = Path(path)
    if place.exists() and not (place / "config.json").is_file():
        raise ModelError(
            f"{path}: no config.json there: give a folder written by save_pretrained"
        )
    version = tuple(map(int, transformers.__version__.split(".")[:2]))
    wanted = {"dtype" if version >= (4, 56) else "torch_dtype": _dtype(dtype)}
    try:
        with quiet():
            model, report = _AUTO.from_pretrained(
                path, local_files_only=place.exists(), output_loading_info=True, **wanted
            )
            model = model.to(find_device(device))
    except Exception as error:
        raise ModelError(f"{path}: no language model can be loaded: {_line(error)}") from error
    _check_direction(path, model.config)
    missing = sorted(report.get("missing_keys", ()))
    if missing:
        raise ModelError(
            f"{path}: the weights of {missing[0]} and {len(missing) - 1} more are missing: "
            "this is no complete language model"
        )
    return model.eval()


def _check_direction(path: str, config: Any) -> None:
    """Refuse a model that sees what comes after a token: transformers loads it all the same."""
    masked = any(str(each).endswith("ForMaskedLM") for each in config.architectures or ())
    if masked and not getattr(config, "is_decoder", False):
        raise ModelError(
            f"{path}: is a masked language model, which sees what it is to foretell: give a "
            "causal one"
        )


def _dtype(name: str) -> Any:
    """Return a torch dtype by its name."""
    found = "auto" if name == "auto" else getattr(torch, name, None)
    if found is None or not (name == "auto" or getattr(found, "is_floating_point", False)):
        raise ModelError(f"no dtype {name!r}: take auto, float32, bfloat16, float16 or float64")
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from writing to standard error."""
    level, bars = _LOGGING.get_verbosity(), _LOGGING.is_progress_bar_enabled()
    _LOGGING.set_verbosity_error()
    _LOGGING.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _LOGGING.set_verbosity(level)
        if bars:
            _LOGGING.enable_progress_bar()


def _line(error: Exception) -> str:
    """Return the first line of what an exception says."""
    lines = str(error).strip().splitlines()
    return f"{lines[0] if lines else 'no reason given'} ({type(error).__name__})"


def load_tokenizer(path: str) -> Tokenizer:
    """Load the tokenizer of a model, or the one given for it.

    Raises:
        ModelError: If there is none, or one that tokkit refuses.
    """
    try:
        return load(path)
    except FormatError as error:
        raise ModelError(f"{error}; name the model's tokenizer (--tokenizer)") from error


def start_and_ends(
    model: Any,
    tokenizer: Tokenizer,
    names: Mapping[str, str] | None,
    start: Sequence[int] | str | None,
    ends: Sequence[int] | None,
) -> tuple[tuple[int, ...], frozenset[int]]:
    """Find the ids before every text, and those after it.

    What the tokenizer's files say comes first, then the configuration's ids, then how special
    tokens are usually written; without files (`names` is None), that comes before the
    configuration, which may have ids by default that fit another vocabulary. For the same
    reason an id that stands for text is not believed.

    Raises:
        ModelError: If no id can be told to begin a text.
    """
    begins, finishes = (
        _ids(model, tokenizer, names, role, usual)
        for role, usual in (("bos", BEGINS), ("eos", FINISHES))
    )
    if isinstance(start, str):
        begins = tokenizer.encode(start, parse_specials=True).tolist()
        if not begins:
            raise ModelError(
                f"start {start!r} has no tokens: name what begins a text (--start)"
            )
    elif start is not None:
        begins = [int(token) for token in start]
    else:
        begins = (begins or finishes)[:1]
    if not begins:
        raise ModelError(
            "neither the tokenizer nor the configuration names a token that begins or ends a "
            "text: name what does (--start), such as a line break"
        )
    return tuple(begins), frozenset(finishes if ends is None else map(int, ends))


def _ids(
    model: Any,
    tokenizer: Tokenizer,
    names: Mapping[str, str] | None,
    role: str,
    usual: tuple[str, ...],
) -> list[int]:
    """Return the ids that have a role, the surest first."""
    usually = special_id(tokenizer, usual)
    if names is None and usually is not None:
        return [usually]
    found: list[Any] = [tokenizer.vocab.specials.get((names or {}).get(role, ""))]
    for config in (getattr(model, "generation_config", None), model.config.get_text_config()):
        value = getattr(config, f"{role}_token_id", None)
        found += value if isinstance(value, list | tuple) else [value]
    tokens = tokenizer.vocab.tokens
    limit = model.get_input_embeddings().weight.shape[0]
    ids = [
        each
        for each in found
        if each is not None and 0 <= each < limit and not (each < len(tokens) and tokens[each])
    ]
    return list(dict.fromkeys(ids)) or ([] if usually is None else [usually])


def context_of(config: Any) -> int | None:
    """Return the most tokens a sequence may have, if the configuration says."""
    found = (getattr(config, name, None) for name in _LIMITS)
    limit = next((int(each) for each in found if isinstance(each, int) and each > 0), None)
    rotations = getattr(config, "rope_parameters", getattr(config, "rope_scaling", None))
    if isinstance(rotations, dict):
        kind = rotations.get("rope_type", rotations.get("type"))
        trained = getattr(config, "original_max_position_embeddings", None)
        trained = rotations.get("original_max_position_embeddings", trained)
        if kind in _GROWING and isinstance(trained, int):
            return trained if limit is None else min(limit, trained)
    return limit
