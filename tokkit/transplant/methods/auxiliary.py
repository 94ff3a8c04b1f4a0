"""Auxiliary encoders of texts: sentence-transformers folders, plain encoders, ready vectors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokkit.errors import MissingExtraError, ModelError
from tokkit.transplant.context import Auxiliary, Progress, silent
from tokkit.transplant.methods.encoder import Encoder, Vectors
from tokkit.transplant.methods.encoder_folder import digest, read_recipe
from tokkit.transplant.methods.vector_cache import default_folder

_FILES = ("*.json", "*.txt", "*.model")
_OTHER_FORMATS = ("onnx/*", "openvino/*")


def load_auxiliary(
    path: str | Path,
    device: str = "cpu",
    cache: Path | None = None,
    progress: Progress = silent,
) -> Auxiliary:
    """Load an encoder of texts.

    Args:
        path: A folder of sentence-transformers or of a plain encoder, its Hub id, or an
            ``.npz`` file with arrays ``strings`` and ``vectors``.
        device: Such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where there is some.
        cache: The folder where vectors are kept; None: they are not. See `default_folder`.
        progress: Told how many texts are encoded.

    Raises:
        ModelError: If there is no such encoder, or one that tokkit cannot run.
        MissingExtraError: If torch or transformers is not installed.
    """
    if Path(path).suffix == ".npz":
        return ReadyVectors.load(Path(path))
    folder = Path(path) if Path(path).exists() else _download(str(path))
    recipe = read_recipe(folder)
    model, tokenizer = _load(recipe.folder, device)
    encoder = Encoder(model, tokenizer, recipe, progress)
    if cache is not None:
        encoder.keep_in(cache, digest(folder))
    return encoder


class ReadyVectors:
    """Vectors that were made before."""

    def __init__(self, strings: Sequence[str], vectors: Vectors, name: str = "vectors") -> None:
        self._places = {text: place for place, text in enumerate(strings)}
        self._rows = vectors
        self._name = name

    @classmethod
    def load(cls, path: Path) -> "ReadyVectors":
        """Read an ``.npz`` file with ``strings`` and ``vectors``.

        Raises:
            ModelError: If the file has other contents.
        """
        try:
            with np.load(path) as file:
                strings, vectors = file["strings"].tolist(), file["vectors"]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ModelError(
                f"{path}: no arrays 'strings' and 'vectors' to be read there ({error})"
            ) from error
        if vectors.ndim != 2 or len(strings) != len(vectors):
            raise ModelError(f"{path}: vectors has to have one row for each of the strings")
        return cls(strings, vectors.astype(np.float32), str(path))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, ``float32[n, d]``.

        Raises:
            ModelError: If a text has none.
        """
        # Arrays of strings have no NULs at the end of any.
        places = [self._places.get(text, self._places.get(text.rstrip("\0"))) for text in texts]
        if None in places:
            text = texts[places.index(None)]
            raise ModelError(f"{self._name}: no vector for {text!r}: add one to the file")
        return self._rows[np.array(places, dtype=np.int64)]


def _download(name: str) -> Path:
    """Get an encoder from the Hub, or where it was put when it was got before.

    Raises:
        ModelError: If there is none.
    """
    snapshot = _import("huggingface_hub").snapshot_download
    skipped = list(_OTHER_FORMATS)
    try:
        folder = Path(
            snapshot(name, allow_patterns=[*_FILES, "*.safetensors"], ignore_patterns=skipped)
        )
        if not any(folder.rglob("*.safetensors")):
            snapshot(name, allow_patterns=[*_FILES, "*.bin"], ignore_patterns=skipped)
    except Exception as error:
        raise ModelError(
            f"{name}: no encoder there ({type(error).__name__}): give a folder, or the Hub id "
            "of an encoder such as sentence-transformers/all-MiniLM-L6-v2"
        ) from error
    return folder


def _load(folder: Path, device: str) -> tuple[Any, Any]:
    """Load the transformer of an encoder and its tokenizer.

    Raises:
        ModelError: If there is none, it needs code of its own, or weights are missing.
    """
    transformers = _import("transformers")
    from tokkit.lm.hf_load import quiet

    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: no config.json there: give the folder of an encoder")
    if device == "auto":
        device = "cuda" if _import("torch").cuda.is_available() else "cpu"
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
            load: Callable[..., Any] = transformers.AutoModel.from_pretrained
            model, report = load(folder, output_loading_info=True, **options)
            model = model.float().to(device).eval()
    except Exception as error:
        raise ModelError(_why(folder, error)) from error
    # The pooler and a decoder have no part in the vectors.
    if hasattr(model, "encoder") and hasattr(model, "decoder"):
        model = model.encoder
    missing = sorted(
        n for n in report["missing_keys"] if "pooler" not in n and "decoder" not in n
    )
    if missing:
        raise ModelError(f"{folder}: the weights of {missing[0]} are missing: get it again")
    return model, tokenizer


def _why(folder: Path, error: Exception) -> str:
    """Say why an encoder cannot be loaded."""
    if "auto_map" in (folder / "config.json").read_text(errors="replace"):
        return (
            f"{folder}: the encoder needs code of its own, which tokkit does not run: choose "
            "one that transformers knows, such as sentence-transformers/all-MiniLM-L6-v2"
        )
    lines = str(error).strip().splitlines()
    reason = f"{lines[0] if lines else 'no reason given'} ({type(error).__name__})"
    return f"{folder}: no encoder can be loaded: {reason}"


def _import(name: str) -> Any:
    """Import a package of the extra ``torch``.

    Raises:
        MissingExtraError: If it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        raise MissingExtraError(name, "torch") from missing


__all__ = ["Encoder", "ReadyVectors", "default_folder", "load_auxiliary"]
