"""tiktoken files: lines of a token in base64 and its rank, which is also its id.

The file names neither the pattern that cuts text before the ranks apply nor the special
tokens: published files are recognised, our own have them in a JSON file beside them, and for
others the caller says the pattern. tiktoken looks a whole piece up first and then merges the
two neighbours whose bytes together have the lowest rank, the leftmost of several; so every
split of a token into two others is a merge, ranked by the token's id.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.added import Added, AddedTokens
from tokkit.errors import FormatError
from tokkit.formats.byte_level import byte_level_bpe
from tokkit.formats.check import awkward_texts, compare, is_installed, require_equal
from tokkit.formats.encodings import ENCODINGS
from tokkit.formats.only_matches import OnlyMatches
from tokkit.formats.write import pending
from tokkit.patterns import NO_SCANNER, Pattern, find_pattern, recognise
from tokkit.pretokenize import Pretokenizer, for_pattern
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary

_SUFFIX = ".tiktoken"


@dataclass(frozen=True)
class Ranks:
    """What tiktoken needs for an encoding, beside its name.

    Attributes:
        tokens: The rank of each token, which is its id.
        pattern: What cuts text into pieces.
        specials: The ids of special tokens.
    """

    tokens: Mapping[bytes, int]
    pattern: Pattern
    specials: Mapping[str, int]


def matches(path: Path) -> bool:
    """Say whether `path` is, or a folder with, a file of ranks."""
    return find_file(path) is not None


def find_file(path: Path) -> Path | None:
    """Find the file of ranks: `path`, or in it ``tokenizer.model`` or ``*.tiktoken``."""
    if path.is_dir():
        candidates = [path / "tokenizer.model", *sorted(path.glob(f"*{_SUFFIX}"))]
        return next((each for each in candidates if each.is_file() and matches(each)), None)
    with path.open("rb") as file:
        fields = file.readline(4096).split()
    if len(fields) != 2 or not fields[1].isdigit():
        return None
    return path if path.suffix == _SUFFIX or _decodes(fields[0]) else None


def _decodes(field: bytes) -> bool:
    try:
        return bool(base64.b64decode(field, validate=True))
    except binascii.Error:
        return False


def read_ranks(path: Path, content: bytes) -> dict[bytes, int]:
    """Read lines such as ``IQ== 0``; of two for the same token the later wins, as in tiktoken.

    Raises:
        FormatError: If a line is malformed, two tokens share a rank or a byte has none.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            if line:
                token, rank = line.split()
                ranks[base64.b64decode(token, validate=True)] = int(rank)
        except ValueError as error:  # binascii.Error is one
            raise FormatError(
                f"{path}, line {number}: should be a token in base64 and its rank ({error})"
            ) from error
    _require_sound(path, ranks)
    return ranks


def _require_sound(path: Path, ranks: Mapping[bytes, int]) -> None:
    by_rank: dict[int, bytes] = {}
    for token, rank in ranks.items():
        if (other := by_rank.setdefault(rank, token)) != token:
            raise FormatError(
                f"{path}: the tokens {other!r} and {token!r} share the rank {rank}, "
                "which tiktoken refuses too"
            )
    for byte in range(256):
        if bytes([byte]) not in ranks:
            raise FormatError(
                f"{path}: the byte 0x{byte:02X} has no rank, so not every text can be encoded"
            )
    if not all(0 <= rank < 2**31 for rank in by_rank):
        raise FormatError(f"{path}: ranks must be between 0 and 2^31")


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read a file of ranks, or the one in a folder.

    Args:
        path: The file or folder.
        pattern: Name or regular expression of the pre-tokenization; None: what is known of the
            file, or what the JSON file beside it says.

    Raises:
        FormatError: If the file is malformed, or nothing says what its pattern is.
    """
    file = find_file(path)
    if file is None:
        raise FormatError(f"{path}: no file of tiktoken ranks is there")
    content = file.read_bytes()
    tokens = read_ranks(file, content)
    known = ENCODINGS.get(hashlib.sha256(content).hexdigest())
    specials: Mapping[str, int] = known.specials() if known else {}
    beside = _read_beside(file)
    if beside:
        specials = beside["special_tokens"]
    if pattern is not None:
        found = find_pattern(pattern)
    elif beside:
        found = recognise(beside["pat_str"], "rust") or find_pattern(beside["pat_str"])
    elif known:
        found = find_pattern(known.pattern)
    else:
        raise FormatError(
            f"{file}: nothing says which pattern belongs to these ranks; name it (--pattern)"
        )
    return build(Ranks(tokens, found, specials), Source("tiktoken", file))


def _read_beside(file: Path) -> dict[str, Any] | None:
    """Read what our own writer put beside a file of ranks, if anything."""
    beside = file.with_suffix(".json")
    return _read_json(beside) if file.suffix == _SUFFIX and beside.is_file() else None


def _read_json(beside: Path) -> dict[str, Any]:
    try:
        content = json.loads(beside.read_bytes())
        specials = {str(text): int(i) for text, i in content["special_tokens"].items()}
        return {"pat_str": str(content["pat_str"]), "special_tokens": specials}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{beside}: should have pat_str and special_tokens") from error


def build(ranks: Ranks, source: Source | None = None) -> Tokenizer:
    """Make the tokenizer that encodes as tiktoken does with `ranks`."""
    size = 1 + max(*ranks.tokens.values(), *ranks.specials.values())
    tokens = [b""] * size
    for token, rank in ranks.tokens.items():
        tokens[rank] = token
    merges = all_splits(ranks.tokens)
    return Tokenizer(
        Vocabulary(tuple(tokens), ranks.specials),
        BPE(tokens, merges, ranks=merges[:, 2].copy(), ignore_merges=True),
        pretokenizer=_cutter(ranks.pattern),
        added=AddedTokens(
            tuple(Added(text, token_id) for text, token_id in ranks.specials.items()),
            parse=False,
        ),
        pattern=ranks.pattern,
        source=source,
    )


def _cutter(pattern: Pattern) -> Pretokenizer:
    """Cut by a pattern; known ones match all text, of others only the matches are kept."""
    is_known = pattern.scanner != NO_SCANNER
    return for_pattern(pattern, "rust") if is_known else OnlyMatches(pattern)


def all_splits(tokens: Mapping[bytes, int]) -> NDArray[np.int32]:
    """List every way to put a token together from two others, lowest ids first.

    Example: ``{a: 0, b: 1, ab: 2, ba: 3, aba: 4}`` -> ``(0, 1, 2), (1, 0, 3), (0, 3, 4),
    (2, 0, 4)``.

    Returns:
        The ids of left part, right part and token, ``int32[m, 3]``.
    """
    rows = [
        (left, right, token_id)
        for token, token_id in sorted(tokens.items(), key=lambda item: item[1])
        for cut in range(1, len(token))
        if (left := tokens.get(token[:cut])) is not None
        and (right := tokens.get(token[cut:])) is not None
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, 3)


def write(tokenizer: Tokenizer, path: Path, *, force: bool = False) -> None:
    """Write the ranks of a tokenizer, and beside them a JSON file with pattern and specials.

    The JSON file has what `tiktoken.Encoding` wants: ``pat_str`` and ``special_tokens``.

    Raises:
        FormatError: If tiktoken cannot do what the tokenizer does.
        CheckError: If it turns out not to.
    """
    if path.suffix != _SUFFIX:
        raise FormatError(f"{path}: the name of a tiktoken file ends in {_SUFFIX}")
    ranks = to_ranks(tokenizer)
    lines = (
        base64.b64encode(token) + b" %d\n" % rank
        for token, rank in sorted(ranks.tokens.items(), key=lambda item: item[1])
    )
    described = {
        "name": path.stem,
        "pattern": ranks.pattern.name,
        "pat_str": ranks.pattern.for_engine("rust"),
        "special_tokens": dict(ranks.specials),
    }
    beside = path.with_suffix(".json")
    files = {
        path: b"".join(lines),
        beside: json.dumps(described, ensure_ascii=False, indent=1).encode(),
    }
    with pending(files) as places:
        check(
            read_ranks(path, places[path].read_bytes()), _read_json(places[beside]), tokenizer
        )


def to_ranks(tokenizer: Tokenizer) -> Ranks:
    """Say what a tokenizer is in tiktoken's terms.

    Raises:
        FormatError: If it is not byte-level BPE, is not cut by one pattern, has added tokens
            that are not special, or merges in another order than that of the ids.
    """
    bpe = byte_level_bpe(tokenizer)
    if tokenizer.pattern is None:
        raise FormatError("tiktoken cuts text by one pattern, and this tokenizer does not")
    for added in tokenizer.added.tokens:
        if not added.special:
            raise FormatError(
                f"{added.content!r} is added but not special, and tiktoken has no such tokens"
            )
    segmenter = bpe.segmenter
    ranked = segmenter.merges[segmenter.ranks.argsort(kind="stable")][:, 2]
    if (np.diff(ranked) < 0).any():
        place = int(np.argmax(np.diff(ranked) < 0))
        raise FormatError(
            f"merging makes token {ranked[place]} before token {ranked[place + 1]}, while "
            "tiktoken merges in the order of the ids"
        )
    return Ranks(bpe.ids, tokenizer.pattern, tokenizer.vocab.specials)


def check(ranks: Mapping[bytes, int], beside: Mapping[str, Any], tokenizer: Tokenizer) -> None:
    """Compare what was written with `tokenizer`, through tiktoken if it is installed.

    Args:
        ranks: What the file of ranks says.
        beside: What the JSON file says.
        tokenizer: What they should mean.

    Raises:
        CheckError: If ids differ.
    """
    texts = awkward_texts(tokenizer)
    pattern = recognise(beside["pat_str"], "rust") or find_pattern(beside["pat_str"])
    again = build(Ranks(ranks, pattern, beside["special_tokens"]))
    remedy = "tiktoken cannot do what this tokenizer does: write another format"
    for parse in (False, True):
        encode = partial(again.encode, parse_specials=parse)
        found = compare(tokenizer, encode, texts, parse_specials=parse)
        require_equal(found, "the file", remedy)
    if is_installed("tiktoken"):
        import tiktoken

        encoding = tiktoken.Encoding(
            "check",
            pat_str=beside["pat_str"],
            mergeable_ranks=dict(ranks),
            special_tokens=beside["special_tokens"],
        )
        found = compare(tokenizer, encoding.encode_ordinary, texts, parse_specials=False)
        require_equal(found, "tiktoken", remedy)
        everything = partial(encoding.encode, allowed_special="all")
        found = compare(tokenizer, everything, texts, parse_specials=True)
        require_equal(found, "tiktoken", remedy)
