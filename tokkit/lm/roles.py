"""Which special token plays which part: what files say, and how they are usually written."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokkit.tokenizer import Tokenizer

FILES = ("tokenizer_config.json", "special_tokens_map.json")
"""The files beside a tokenizer that name special tokens by role, the surest first."""

BEGINS = (
    "<s>",
    "<bos>",
    "<BOS>",
    "<|begin_of_text|>",
    "<|begin▁of▁sentence|>",
    "<｜begin▁of▁sentence｜>",
    "<|startoftext|>",
    "<|endoftext|>",
    "[CLS]",
)
"""How the token before a text is written, the surest first."""
FINISHES = (
    "</s>",
    "<eos>",
    "<EOS>",
    "<|end_of_text|>",
    "<|end▁of▁sentence|>",
    "<｜end▁of▁sentence｜>",
    "<|endoftext|>",
    "[SEP]",
)
"""How the token after a text is written, the surest first."""


def special_id(tokenizer: Tokenizer, names: tuple[str, ...]) -> int | None:
    """Return the id of the first of these special tokens that there is; id 0 counts."""
    specials = tokenizer.vocab.specials
    return next((specials[name] for name in names if name in specials), None)


def named_specials(path: str) -> dict[str, str]:
    """Return how the files beside a tokenizer write the token of each role.

    Args:
        path: The tokenizer's folder or file, or its Hub id (only what was fetched before is
            looked at).

    Returns:
        The token by role: ``"bos"`` for what the files call ``bos_token``.
    """
    names: dict[str, str] = {}
    for content in _contents(path):
        for key, value in content.items():
            if isinstance(value, Mapping):
                value = value.get("content")
            if key.endswith("_token") and isinstance(value, str):
                names.setdefault(key.removesuffix("_token"), value)
    return names


def _contents(path: str) -> Iterator[Mapping[str, Any]]:
    """Give the files about special tokens that lie with a tokenizer."""
    place = Path(path)
    for name in FILES:
        file = place / name if place.is_dir() else place.parent / name
        if not place.exists():
            file = _fetched(path, name)
        try:
            content = json.loads(file.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            yield content


def _fetched(identifier: str, name: str) -> Path:
    """Return where the file of a Hub id was put when it was fetched; no file if it was not."""
    from huggingface_hub import try_to_load_from_cache

    try:
        return Path(str(try_to_load_from_cache(identifier, name) or ""))
    except ValueError:  # of what cannot be a Hub id, such as the path of a file that is gone
        return Path()
