"""Models on disk: a configuration and files of weights, opened without reading the weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tokkit.errors import MissingExtraError, ModelError
from tokkit.formats import _answers
from tokkit.weights.headers import Header, Stored, distinct, read_header

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_CONVERT = "load it with transformers and save_pretrained it, which writes safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_OTHERS = {
    ".gguf": "a GGUF file cannot be moved: take the folder it was converted from",
    ".h5": f"only TensorFlow weights there: {_CONVERT}",
    ".msgpack": f"only Flax weights there: {_CONVERT}",
}
_DEQUANTISE = "take the model before it was quantised"
_QUANTISED = ("quantization_config", "compression_config")
_PACKED = (".qweight", ".weight_packed", ".SCB", ".weight_scale", ".weight_scale_inv")
"""Endings of tensors that only quantised models have."""
DOWNLOADED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken", "*.py")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model on disk; see `open_checkpoint`.

    Attributes:
        folder: Where it is.
        config: What ``config.json`` says.
        shards: Header of each file of weights by its name, in the order of their names.
        tensors: Where each tensor lies, by name; shard by shard, in the order of the data.
        index: What ``model.safetensors.index.json`` says; None: there is one file of weights.
    """

    folder: Path
    config: Mapping[str, Any]
    shards: Mapping[str, Header]
    tensors: Mapping[str, Stored]
    index: Mapping[str, Any] | None

    @classmethod
    def open(cls, model: str | Path) -> Self:
        """Open a folder written by ``save_pretrained``, or a model of the Hub.

        Args:
            model: The folder, or an id such as ``"gpt2"``.

        Raises:
            ModelError: If there is no complete unquantised model in safetensors.
        """
        folder = Path(model).expanduser()
        if not folder.exists():
            folder = fetch(str(model), DOWNLOADED)
        elif not folder.is_dir():
            raise ModelError(f"{model}: not a folder: give one written by save_pretrained")
        config = _configuration(folder)
        index = None
        if (folder / SINGLE).is_file():
            shards = {SINGLE: read_header(folder / SINGLE)}
        elif (folder / INDEX).exists():
            index = _json(folder / INDEX)
            shards = _shards(folder, index)
        else:
            raise ModelError(_absence(folder))
        tensors = _tensors(shards)
        _refuse_quantised(folder, tensors)
        return cls(folder, config, shards, tensors, index)

    @property
    def text_config(self) -> Mapping[str, Any]:
        """The part of the configuration that is about text: nested in multi-modal models."""
        return text_config(self.config)

    def size(self) -> int:
        """Bytes that its weights take on disk."""
        return sum(stored.size for stored in self.tensors.values())


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a configuration that holds ``vocab_size`` of the text model."""
    for name in ("text_config", "llm_config", "language_config", "decoder"):
        nested = config.get(name)
        if isinstance(nested, Mapping) and ("vocab_size" in nested or name == "text_config"):
            return nested
    return config


def _configuration(folder: Path) -> Mapping[str, Any]:
    """Read ``config.json``, and refuse what is no model of its own, or quantised."""
    path = folder / "config.json"
    if not path.exists():
        if not any(folder.iterdir()):
            raise ModelError(f"{folder}: an empty folder: give one written by save_pretrained")
        if (folder / "adapter_config.json").exists():
            raise ModelError(
                f"{folder}: an adapter, not a model: merge it into its model first "
                "(merge_and_unload), and give the folder of the result"
            )
        raise ModelError(
            f"{folder}: no config.json there: give a folder written by save_pretrained"
        )
    config = _json(path)
    for part in (config, text_config(config)):
        for key in _QUANTISED:
            if part.get(key):
                method = part[key].get("quant_method") if isinstance(part[key], dict) else None
                raise ModelError(
                    f"{folder}: the model is quantised ({method or key}): {_DEQUANTISE}"
                )
    if (folder / "quantize_config.json").exists():
        raise ModelError(f"{folder}: the model is quantised (GPTQ): {_DEQUANTISE}")
    return config


def _shards(folder: Path, index: Mapping[str, Any]) -> dict[str, Header]:
    """Read the headers of the files that an index names, and compare them with it."""
    path, places = folder / INDEX, index.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ModelError(f"{path}: has no weight_map: fetch it again")
    names = sorted({str(name) for name in places.values()})
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelError(f"{path}: names {name!r}, which is no safetensors file beside it")
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise ModelError(
            f"{folder}: {len(missing)} of {len(names)} files of weights are missing, such as "
            f"{missing[0]}: fetch them again"
        )
    shards = {name: read_header(folder / name) for name in names}
    for name, shard in places.items():
        if name not in shards[shard].tensors:
            raise ModelError(
                f"{path}: says that tensor {name!r} is in {shard}, which has no such tensor: "
                "index and files are not of the same model, fetch them again"
            )
    for shard, header in shards.items():
        for name in header.tensors:
            if name not in places:
                raise ModelError(
                    f"{path}: does not name tensor {name!r}, which is in {shard}: index and "
                    "files are not of the same model, fetch them again"
                )
    return shards


def _tensors(shards: Mapping[str, Header]) -> dict[str, Stored]:
    """Put the tensors of all shards together."""
    found: dict[str, Stored] = {}
    for shard, header in shards.items():
        for name, stored in header.tensors.items():
            if name in found:
                raise ModelError(
                    f"{stored.path.parent}: tensor {name!r} is both in {found[name].path.name} "
                    f"and in {shard}: only one of them can be right, save the model again"
                )
            found[name] = stored
    if not found:
        raise ModelError(f"{next(iter(shards.values())).path}: there are no tensors in it")
    return found


def _refuse_quantised(folder: Path, tensors: Mapping[str, Stored]) -> None:
    for name, stored in tensors.items():
        if name.endswith(_PACKED) or stored.dtype.startswith(("F8", "F6", "F4")):
            raise ModelError(
                f"{folder}: the model is quantised ({name} is {stored.dtype}): {_DEQUANTISE}"
            )


def _absence(folder: Path) -> str:
    """Say what is there where no safetensors weights are, and what to do."""
    files = sorted(path.name for path in folder.iterdir())
    pickles = [name for name in files if name.endswith(_PICKLES)]
    if pickles:
        return (
            f"{folder}: the weights are a pickle ({pickles[0]}), which can run any code when "
            f"it is read: if you trust it, {_CONVERT}"
        )
    for suffix, says in _OTHERS.items():
        if any(name.endswith(suffix) for name in files):
            return f"{folder}: {says}"
    parts = [name for name in files if name.endswith(".safetensors")]
    if parts:
        return (
            f"{folder}: has {parts[0]} but neither {SINGLE} nor {INDEX}: fetch the rest, or "
            "save the model with save_pretrained"
        )
    return f"{folder}: no weights there: neither {SINGLE} nor {INDEX}"


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=distinct)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ModelError(f"{path}: no proper JSON ({error}): fetch it again") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: no JSON object: fetch it again")
    return found


def fetch(identifier: str, patterns: Sequence[str]) -> Path:
    """Fetch files of a repository of the Hub into its cache, or find them there.

    Args:
        identifier: Such as ``"openai-community/gpt2"``.
        patterns: Which files, such as ``"*.json"``.

    Returns:
        The folder where they are.

    Raises:
        ModelError: If it is not to be had.
        MissingExtraError: If the Hub's library is not installed.
    """
    if identifier.startswith((".", "/", "~")) or identifier.count("/") > 1 or not identifier:
        raise ModelError(f"{identifier}: no such folder")
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "torch") from error
    is_offline = not _answers(constants.ENDPOINT)
    try:
        return Path(
            snapshot_download(
                identifier, allow_patterns=list(patterns), local_files_only=is_offline
            )
        )
    except Exception as error:
        raise ModelError(
            f"{identifier}: no such folder, and not to be had from the Hub "
            f"({type(error).__name__})"
        ) from None
