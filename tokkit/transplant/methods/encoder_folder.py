"""What the folder of an encoder says: how texts become vectors."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokkit.errors import ModelError

_SAMPLES = 64
_SAMPLE = 1 << 20
"""How many stretches of how many bytes tell the weights of two encoders apart."""
_WEIGHTS = frozenset({".safetensors", ".bin"})
_MODES: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_ACTIVATIONS = frozenset({"Identity", "Tanh", "ReLU", "GELU", "Sigmoid"})

# Tensors have no type here: torch is imported only where an encoder is loaded.
Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Recipe:
    """How texts become vectors.

    Attributes:
        folder: Where the transformer is.
        pooling: Modes of `pool`, whose vectors are put side by side.
        steps: What is done with the vectors then.
        limit: Most tokens of a text; None: as the tokenizer says.
        lower: Whether texts are put in lower case first.
    """

    folder: Path
    pooling: Sequence[str] = ("mean",)
    steps: Sequence[Step] = ()
    limit: int | None = None
    lower: bool = False


def read_recipe(folder: Path) -> Recipe:
    """Read the modules of a sentence-transformers folder; a plain encoder gets mean pooling.

    A normalization at the end is left out: it does not change cosines.

    Raises:
        ModelError: If there is a module that tokkit does not know.
    """
    place, pooling, steps = folder, ["mean"], list[Step]()
    modules = _read(folder / "modules.json", [])
    if modules and _kind(modules[-1]) == "Normalize":
        modules = modules[:-1]
    for module in modules:
        kind, path = _kind(module), folder / module.get("path", "")
        if kind == "Transformer":
            place = path
        elif kind == "Pooling":
            pooling = _pooling(path)
        elif kind == "Normalize":
            steps.append(_normalize)
        elif kind == "Dense":
            steps.append(_dense(path))
        else:
            raise ModelError(
                f"{folder}: modules.json names a {kind}, which tokkit does not know: choose an "
                "encoder made of Transformer, Pooling, Dense and Normalize"
            )
    limits = _read(place / "sentence_bert_config.json", {})
    limit, lower = limits.get("max_seq_length"), bool(limits.get("do_lower_case"))
    return Recipe(place, tuple(pooling), tuple(steps), limit, lower)


def _kind(module: Mapping[str, Any]) -> str:
    """Return the class of a module, without where it is."""
    return str(module.get("type", "")).rpartition(".")[2]


def _read(path: Path, default: Any) -> Any:
    """Return what a JSON file says, or what it says by default."""
    if not path.is_file():
        return default
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error}): get the encoder again") from error


def _pooling(path: Path) -> list[str]:
    """Return the modes of a pooling module, in the order their vectors stand."""
    config = _read(path / "config.json", {})
    named = config.get("pooling_mode")
    modes = [named] if isinstance(named, str) else list(named or ())
    modes = modes or [mode for name, mode in _MODES.items() if config.get(name)]
    unknown = [mode for mode in modes if mode not in _MODES.values()]
    if unknown:
        raise ModelError(
            f"{path}: tokkit knows no pooling {unknown[0]!r}: choose another encoder"
        )
    return modes or ["mean"]


def pool(states: Any, mode: str) -> Any:
    """Return the vectors of texts of equally many tokens, a tensor ``[texts, d]``.

    Args:
        states: The last hidden states, a tensor ``[texts, tokens, d]``, with at least a token.
        mode: ``mean``, ``cls`` (first token), ``lasttoken``, ``max``, ``mean_sqrt_len_tokens``
            (sum divided by the root of the count), ``weightedmean`` (token i counts i).
    """
    count = states.shape[1]
    if mode == "cls":
        return states[:, 0]
    if mode == "lasttoken":
        return states[:, -1]
    if mode == "max":
        return states.amax(1)
    if mode == "weightedmean":
        weights = states.new_tensor(range(1, count + 1))
        return (states * weights[None, :, None]).sum(1) / weights.sum()
    return states.sum(1) / (count if mode == "mean" else count**0.5)


def _normalize(vectors: Any) -> Any:
    """Scale vectors to length one."""
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-12)


def _dense(path: Path) -> Step:
    """Load a linear layer and what comes after it.

    Raises:
        ModelError: If its function is not one that tokkit knows.
    """
    import torch

    config = _read(path / "config.json", {})
    name = str(config.get("activation_function", "torch.nn.Tanh")).rpartition(".")[2]
    if name not in _ACTIVATIONS:
        raise ModelError(f"{path}: tokkit knows no activation {name!r}: choose another encoder")
    if (path / "model.safetensors").is_file():
        from safetensors.torch import load_file

        weights = load_file(path / "model.safetensors")
    else:
        weights = torch.load(path / "pytorch_model.bin", "cpu", weights_only=True)
    matrix, bias = weights["linear.weight"].float(), weights.get("linear.bias")
    activation = getattr(torch.nn, name)()

    def apply(vectors: Any) -> Any:
        shift = None if bias is None else bias.float().to(vectors.device)
        return activation(torch.nn.functional.linear(vectors, matrix.to(vectors.device), shift))

    return apply


def digest(folder: Path) -> str:
    """Return a BLAKE2b hash of the files that decide the vectors, 32 hexadecimal digits.

    Of weights their size counts and 64 MiB spread evenly over them; other files whole.
    """
    state = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".json", ".txt", ".model", *_WEIGHTS} or not path.is_file():
            continue
        size = path.stat().st_size
        state.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        spacing = (size - _SAMPLE) // (_SAMPLES - 1)
        with path.open("rb") as file:
            if path.suffix not in _WEIGHTS or spacing <= _SAMPLE:
                state.update(file.read())
                continue
            for number in range(_SAMPLES):
                file.seek(number * spacing)
                state.update(file.read(_SAMPLE))
            file.seek(size - _SAMPLE)
            state.update(file.read(_SAMPLE))
    return state.hexdigest()
