"""Writing a folder that `tokenizers` and `transformers` load."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokkit.errors import FormatError, JobError
from tokkit.formats.check import check_hf
from tokkit.formats.huggingface_json import to_json
from tokkit.formats.huggingface_scores import dump
from tokkit.segment.bpe import BPE
from tokkit.segment.wordpiece import WordPiece
from tokkit.tokenizer import Tokenizer

FILE = "tokenizer.json"
CONFIG = "tokenizer_config.json"

_ROLES: Mapping[str, tuple[str, ...]] = {
    "bos_token": ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"),
    "eos_token": ("</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>"),
    "unk_token": ("<unk>", "[UNK]"),
    "pad_token": ("<pad>", "[PAD]", "<|finetune_right_pad_id|>"),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("<mask>", "[MASK]"),
}
"""Which special token plays a part, the first of these that there is."""
_ENDLESS = 10**30
"""What transformers writes where there is no longest input."""


def write(tokenizer: Tokenizer, path: Path, *, force: bool = False) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json`` into a folder, and check them.

    A new folder appears complete or not at all; in one that is there only these two files are
    replaced, and only once they have been checked beside its ``config.json``.

    Args:
        tokenizer: What to write.
        path: The folder.
        force: Whether it may be there already.

    Raises:
        FormatError: If the format cannot say what the tokenizer does.
        CheckError: If what was written means something else to the library that reads it.
        JobError: If it cannot be written.
    """
    if path.exists() and not path.is_dir():
        raise FormatError(f"{path}: is a file, and this format is a folder")
    content, is_copy = _content(tokenizer)
    config = _config(tokenizer)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise JobError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        place.chmod(0o755)
        (place / FILE).write_bytes(content)
        (place / CONFIG).write_bytes(_dump(config))
        _check_beside(place, path / "config.json", tokenizer, decodes=not is_copy)
        if path.exists():
            for name in (FILE, CONFIG):
                os.replace(place / name, path / name)
        else:
            os.replace(place, path)
    except OSError as error:
        raise JobError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check_beside(
    place: Path, model_config: Path, tokenizer: Tokenizer, *, decodes: bool
) -> None:
    """Check the files in `place` as they would be read beside a model's ``config.json``."""
    copied = place / "config.json"
    if model_config.is_file():
        shutil.copyfile(model_config, copied)
    # The library looks for special tokens in text unless it is told not to.
    parsing = replace(tokenizer, added=replace(tokenizer.added, parse=True))
    segmenter = tokenizer.segmenter
    marks_words = isinstance(segmenter, WordPiece) or (
        isinstance(segmenter, BPE) and bool(segmenter.prefix or segmenter.suffix)
    )
    check_hf(place, parsing, decodes=decodes and not marks_words)
    copied.unlink(missing_ok=True)


def _content(tokenizer: Tokenizer) -> tuple[bytes, bool]:
    """Return ``tokenizer.json``, and whether it is what the tokenizer was read from."""
    from tokkit.formats.huggingface import build

    source = tokenizer.source
    if source is not None and source.format == "hf":
        raw: bytes = source.content
        if build(json.loads(raw), source).digest == tokenizer.digest:
            return raw, True
    return dump(to_json(tokenizer)), False


def _dump(content: Mapping[str, Any]) -> bytes:
    """Write one line per part; indenting the lists would take longer than learning them."""
    parts = (
        f" {json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}"
        for name, part in content.items()
    )
    return "{{\n{}\n}}\n".format(",\n".join(parts)).encode()


def _text(token: object) -> object:
    """Return the text of a token, which may be written with its attributes."""
    return token.get("content") if isinstance(token, Mapping) else token


def _config(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return ``tokenizer_config.json``: what was beside the source, or the usual roles.

    ``PreTrainedTokenizerFast`` is the one class that all versions of transformers read the
    file with as it is.
    """
    config: dict[str, Any] = {"clean_up_tokenization_spaces": False}
    config["model_max_length"] = _ENDLESS
    added = {token.content for token in tokenizer.added.tokens}
    for role, texts in _ROLES.items():
        found = next((text for text in texts if text in added), None)
        if found is not None:
            config[role] = found
    source = tokenizer.source
    if source is not None and source.format == "hf":
        beside = source.path.with_name(CONFIG)
        with suppress(OSError, ValueError):
            config = json.loads(beside.read_bytes())
    config.pop("auto_map", None)
    for role in _ROLES:
        # transformers adds what plays a part to the added tokens: "<unk>" in a text would be
        # the unknown token then.
        if _text(config.get(role)) not in added:
            config.pop(role, None)
    return {**config, "tokenizer_class": "PreTrainedTokenizerFast"}
