"""Folders with ``vocab.json`` and ``merges.txt``: byte-level BPE as GPT-2 published it.

The two files name no pre-tokenization: it is GPT-2's unless the caller says otherwise. Special
tokens are those of ``added_tokens.json``, ``special_tokens_map.json`` and
``tokenizer_config.json`` where these are there.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from tokkit.added import Added, AddedTokens
from tokkit.alphabet import from_byte_level, to_byte_level
from tokkit.errors import FormatError
from tokkit.formats.byte_level import ByteLevelBPE, byte_level_bpe
from tokkit.formats.check import awkward_texts, compare, require_equal
from tokkit.formats.write import pending
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary

DEFAULT_PATTERN = "gpt2"
_VOCABULARY, _MERGES = "vocab.json", "merges.txt"


def matches(path: Path) -> bool:
    """Say whether `path` is a folder with the two files, or one of them beside the other."""
    folder = path if path.is_dir() else path.parent
    named = path.is_dir() or path.name in (_VOCABULARY, _MERGES)
    return named and (folder / _VOCABULARY).is_file() and (folder / _MERGES).is_file()


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read the two files of a folder.

    Args:
        path: The folder, or one of the files.
        pattern: Name or regular expression of the pre-tokenization; None: GPT-2's.

    Raises:
        FormatError: If a file is malformed, or the tokens are not spelled in the byte-level
            alphabet.
    """
    folder = path if path.is_dir() else path.parent
    vocabulary = _read_vocabulary(folder / _VOCABULARY)
    added = tuple(_read_added(folder, vocabulary))
    merges = _read_merges(folder / _MERGES, vocabulary)
    ids = {**vocabulary, **{token.content: token.token_id for token in added}}
    spellings = [b""] * (1 + max(ids.values(), default=-1))
    contents = {token.content for token in added}
    for text, token_id in vocabulary.items():
        if text not in contents:
            spellings[token_id] = _from_byte_level(folder / _VOCABULARY, text)
    found = find_pattern(pattern or DEFAULT_PATTERN)
    tokens = list(spellings)
    for token in added:
        if not token.special:
            tokens[token.token_id] = token.content.encode()
    return Tokenizer(
        Vocabulary(
            tuple(tokens), {each.content: each.token_id for each in added if each.special}
        ),
        BPE(spellings, np.array(merges, dtype=np.int32).reshape(-1, 3)),
        pretokenizer=for_pattern(found),
        added=AddedTokens(added),
        pattern=found,
        source=Source("files", folder / _VOCABULARY),
    )


def _from_byte_level(path: Path, text: str) -> bytes:
    data = from_byte_level(text)
    if not data:
        raise FormatError(
            f"{path}: the token {text!r} is not spelled in the byte-level alphabet; "
            "if it is a special token, list it in added_tokens.json"
        )
    return data


def _read_vocabulary(path: Path) -> dict[str, int]:
    content = _read_json(path)
    if not all(isinstance(token_id, int) for token_id in content.values()):
        raise FormatError(f"{path}: should map tokens to ids")
    if len(set(content.values())) != len(content) or min(content.values(), default=0) < 0:
        raise FormatError(f"{path}: two tokens share an id, or an id is negative")
    return content


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise FormatError(f"{path}: is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise FormatError(f"{path}: should be a JSON object")
    return content


def _read_merges(path: Path, vocabulary: Mapping[str, int]) -> list[tuple[int, int, int]]:
    """Read lines such as ``Ġ t`` as the ids of both parts and of the whole, in order."""
    merges = []
    try:
        lines = path.read_bytes().decode().split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: is not UTF-8 ({error})") from error
    for number, line in enumerate(lines, start=1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#version"):
            continue
        parts = line.split(" ")
        if len(parts) != 2:
            raise FormatError(f"{path}, line {number}: should be two tokens and a space")
        try:
            merges.append(
                (vocabulary[parts[0]], vocabulary[parts[1]], vocabulary["".join(parts)])
            )
        except KeyError as error:
            raise FormatError(
                f"{path}, line {number}: the token {error.args[0]!r} is not in {_VOCABULARY}"
            ) from error
    return merges


def _read_added(folder: Path, vocabulary: Mapping[str, int]) -> Iterator[Added]:
    """List the added tokens that the files beside the vocabulary name, each once."""
    ids: dict[str, int] = {}
    roles: dict[str, Mapping[str, Any]] = {}
    if (path := folder / "added_tokens.json").is_file():
        ids.update(_read_json(path))
        roles.update({text: {"special": False} for text in ids})
    if (path := folder / "special_tokens_map.json").is_file():
        for value in _read_json(path).values():
            for token in value if isinstance(value, list) else [value]:
                said = token if isinstance(token, dict) else {"content": token}
                roles[said["content"]] = {**said, "special": True}
    if (path := folder / "tokenizer_config.json").is_file():
        for token_id, entry in _read_json(path).get("added_tokens_decoder", {}).items():
            ids[entry["content"]] = int(token_id)
            roles[entry["content"]] = entry
    for text, entry in roles.items():
        token_id = ids.get(text, vocabulary.get(text))
        if token_id is not None:
            flags = ("special", "lstrip", "rstrip", "single_word", "normalized")
            set_flags = {flag: bool(entry[flag]) for flag in flags if flag in entry}
            yield Added(text, token_id, **set_flags)


def write(tokenizer: Tokenizer, path: Path, *, force: bool = False) -> None:
    """Write a folder with the two files, and ``added_tokens.json`` if there are any.

    Raises:
        FormatError: If the tokenizer is not byte-level BPE with GPT-2's pattern, which is what
            a reader of the two files takes it for.
        CheckError: If the files do not mean the same to tokenizers.
    """
    bpe = byte_level_bpe(tokenizer)
    name = tokenizer.pattern.name if tokenizer.pattern else None
    if name != DEFAULT_PATTERN:
        raise FormatError(
            f"vocab.json and merges.txt cannot name the pattern {name or 'in use'!r}, and "
            "readers take them for GPT-2's; write hf instead"
        )
    files = {path / name: content for name, content in _contents(tokenizer, bpe).items()}
    with pending(files) as places:
        check(places[path / _VOCABULARY], places[path / _MERGES], tokenizer)


def _contents(tokenizer: Tokenizer, bpe: ByteLevelBPE) -> dict[str, bytes]:
    texts = {to_byte_level(token): token_id for token, token_id in bpe.ids.items()}
    lines = ["#version: 0.2"]
    lines += [f"{to_byte_level(left)} {to_byte_level(right)}" for left, right in bpe.merges]
    contents = {
        _VOCABULARY: json.dumps(texts, ensure_ascii=False).encode(),
        _MERGES: ("\n".join(lines) + "\n").encode(),
    }
    if added := {each.content: each.token_id for each in tokenizer.added.tokens}:
        contents["added_tokens.json"] = json.dumps(added, ensure_ascii=False).encode()
        special = [each.content for each in tokenizer.added.tokens if each.special]
        contents["special_tokens_map.json"] = json.dumps(
            {"additional_special_tokens": special}, ensure_ascii=False
        ).encode()
    return contents


def check(vocabulary: Path, merges: Path, tokenizer: Tokenizer) -> None:
    """Compare the two files with `tokenizer`, through tokenizers' byte-level BPE.

    Raises:
        CheckError: If ids differ.
    """
    backend = tokenizers.ByteLevelBPETokenizer.from_file(str(vocabulary), str(merges))
    texts = awkward_texts(tokenizer)
    specials = [token.content for token in tokenizer.added.tokens]
    # The two files hold no special tokens; those are the business of the files beside them.
    texts = [text for text in texts if not any(special in text for special in specials)]
    require_equal(
        compare(tokenizer, lambda text: list(backend.encode(text).ids), texts),
        "tokenizers.ByteLevelBPETokenizer",
        "write hf instead",
    )
