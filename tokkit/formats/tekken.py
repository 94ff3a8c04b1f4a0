"""``tekken.json``: the files of mistral-common, which cuts text with tiktoken.

They have a pattern and ranks as tiktoken wants them. Special tokens come first: the id of a
token is its rank and the number of special tokens. Ranks beyond the size that the file states
are left out. Special tokens that are written in a text are text.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokkit.errors import FormatError
from tokkit.formats.tiktoken import Ranks, build
from tokkit.patterns import find_pattern, recognise
from tokkit.tokenizer import Source, Tokenizer

_FILE = "tekken.json"
_FIRST_SPECIALS = """
<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS]
[/TOOL_RESULTS] [TOOL_CALLS] [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX]
[SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]
"""
"""Those of the first files, which do not name them."""


def matches(path: Path) -> bool:
    """Say whether `path` is such a file, or a folder with one."""
    file = find_file(path)
    return file.is_file() and "tekken" in file.name and file.suffix == ".json"


def find_file(path: Path) -> Path:
    """Return the file itself: `path`, or in it ``tekken.json``."""
    return path / _FILE if path.is_dir() else path


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read a file, or the one in a folder.

    Args:
        path: The file or folder.
        pattern: Name or regular expression of the pre-tokenization; None: the file's.

    Raises:
        FormatError: If the file is malformed.
    """
    file = find_file(path)
    ranks, first, specials, regex = read_parts(file)
    found = find_pattern(pattern or regex)
    if pattern is None:
        found = recognise(regex, "rust") or found
    shifted = {token: rank + first for token, rank in ranks.items()}
    return build(Ranks(shifted, found, specials), Source("tekken", file))


def read_parts(file: Path) -> tuple[dict[bytes, int], int, dict[str, int], str]:
    """Read ranks, the id of the first of them, special tokens, and the pattern.

    Raises:
        FormatError: If the file is malformed.
    """
    try:
        content = json.loads(file.read_bytes())
        config = content["config"]
        first = int(config["default_num_special_tokens"])
        size = int(config["default_vocab_size"]) - first
        listed = [
            (base64.b64decode(each["token_bytes"], validate=True), int(each["rank"]))
            for each in content["vocab"]
        ]
        specials = _specials(content, first)
        regex = str(config["pattern"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{file}: is not a file of mistral-common ({error!r})") from error
    ranks = {token: rank for token, rank in listed if rank < size}
    if sorted(ranks.values()) != list(range(size)):
        raise FormatError(
            f"{file}: should have a token for each rank below {size:,}, and does not"
        )
    if not all(bytes([byte]) in ranks for byte in range(256)):
        raise FormatError(f"{file}: a byte has no rank, so not every text can be encoded")
    return ranks, first, specials, regex


def _specials(content: Mapping[str, Any], count: int) -> dict[str, int]:
    """Return the ids of special tokens; those without a name are called by their id."""
    listed = content.get("special_tokens")
    if listed is None:
        named = {name: number for number, name in enumerate(_FIRST_SPECIALS.split())}
    else:
        named = {str(each["token_str"]): int(each["rank"]) for each in listed}
    filled = {f"<SPECIAL_{number}>": number for number in range(len(named), count)}
    if sorted([*named.values(), *filled.values()]) != list(range(count)):
        raise ValueError(f"there should be {count:,} special tokens, with ids from 0")
    return named | filled
