"""What a folder with a model is: named by its content, so that answers of it can be kept."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tokkit.errors import ModelError

WHOLE = 2 << 30
"""Weights of so many bytes together are read whole; of larger ones, the headers and samples."""
_BLOCK = 1 << 20
_SAMPLES = 64
_WEIGHTS = ("*.safetensors", "*.bin")
_SETTINGS = ("*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt", "*.tiktoken")
"""Files that decide what a model answers, the kinds of weights by preference."""


def find_folder(path: str) -> Path:
    """Return the folder of a model; one of the Hub is fetched, unless it was before.

    Raises:
        ModelError: If there is none.
    """
    place = Path(path)
    if (place / "config.json").is_file():
        return place
    if place.exists():
        raise ModelError(f"{path}: no config.json there: give a folder with a model")
    from huggingface_hub import snapshot_download

    from tokkit.lm.hf_load import quiet

    try:
        with quiet():
            folder = Path(snapshot_download(path, allow_patterns=[*_SETTINGS, _WEIGHTS[0]]))
            if not list(folder.glob(_WEIGHTS[0])):
                folder = Path(snapshot_download(path, allow_patterns=[*_SETTINGS, *_WEIGHTS]))
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(
            f"{path}: no folder, and not to be had from the Hub: {reason}"
        ) from error
    return folder


def content_digest(folder: Path) -> str:
    """Name a model by its content, 16 hexadecimal digits.

    Everything counts whole, but where the folder is does not. Weights of more than `WHOLE`
    bytes count with their sizes, their headers (which say where each tensor is) and 64 blocks
    of each file, a megabyte long and evenly spread: enough to tell apart models that were
    trained differently, but not ones of which a single row was changed.
    """
    weights = next((each for kind in _WEIGHTS if (each := sorted(folder.glob(kind)))), [])
    settings = sorted(path for kind in _SETTINGS for path in folder.glob(kind))
    large = sum(path.stat().st_size for path in weights) > WHOLE
    digest = hashlib.sha256()
    for path in [*settings, *weights]:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        for block in _blocks(path, sampled=large and path in weights):
            digest.update(block)
    return digest.hexdigest()[:16]


def _blocks(path: Path, *, sampled: bool) -> Iterator[bytes]:
    """Read a file, or the beginning, which has the header, and samples of the rest."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if not sampled:
            while block := file.read(_BLOCK):
                yield block
            return
        header = int.from_bytes(file.read(8), "little") if path.suffix == ".safetensors" else 0
        yield file.read(min(header, size))
        for number in range(_SAMPLES):
            file.seek(max(0, size - _BLOCK) * number // (_SAMPLES - 1))
            yield file.read(_BLOCK)
