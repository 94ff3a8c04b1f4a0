"""Reading Hugging Face's ``tokenizer.json``.

Ids are those of ``Tokenizer.from_file(path).encode(text, add_special_tokens=False)``.
The model is tokkit's own; normalizers and pre-tokenizers that tokkit has not are run by
`tokenizers` itself. Truncation, padding and the post-processor, which say how ids are used
rather than what they are, are left out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tokkit.added import Added, AddedTokens
from tokkit.alphabet import BYTE_LEVEL
from tokkit.errors import FormatError
from tokkit.formats.huggingface_longest import recognise_longest
from tokkit.formats.huggingface_model import model_kind, model_tokens, read_model
from tokkit.formats.huggingface_parts import (
    Cutting,
    Reading,
    implied_decoder,
    read_decoder,
    read_normalizer,
    read_pretokenizer,
    unmarked,
)
from tokkit.formats.huggingface_scores import read_vocabulary
from tokkit.formats.huggingface_write import write
from tokkit.normalize import Normalizer, foreign_component
from tokkit.pretokenize import Whole
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary

if TYPE_CHECKING:
    from tokkit.segment import Segmenter

FILE = "tokenizer.json"

__all__ = ["build", "matches", "read", "write"]


def matches(path: Path) -> bool:
    """Tell whether `path` is a ``tokenizer.json``, by any name, or a folder with one."""
    if path.is_dir():
        return (path / FILE).is_file()
    if path.suffix != ".json":
        return False
    return path.name == FILE or (b'"model"' in path.read_bytes() and _is_tokenizer(path))


def _is_tokenizer(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(content, Mapping) and isinstance(content.get("model"), Mapping)


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read a ``tokenizer.json``, or a folder with one.

    Args:
        path: The file or folder.
        pattern: Must be None: the file says how text is cut.

    Raises:
        FormatError: If the file cannot be read, or asks for what tokkit does not do exactly.
    """
    file = path / FILE if path.is_dir() else path
    if pattern is not None:
        raise FormatError(f"{file}: says itself how text is cut: leave the pattern out")
    try:
        raw = file.read_bytes()
        content = json.loads(raw)
    except (OSError, ValueError) as error:
        raise FormatError(f"{file}: cannot be read as JSON ({error})") from None
    try:
        return build(content, Source("hf", file, raw))
    except FormatError as error:
        raise FormatError(f"{file}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FormatError(
            f"{file}: not the JSON of a tokenizer ({type(error).__name__}: {error})"
        ) from None


def build(content: Mapping[str, Any], source: Source | None = None) -> Tokenizer:
    """Build the tokenizer that the JSON of a ``tokenizer.json`` describes.

    Args:
        content: The JSON.
        source: Where it is from.

    Raises:
        FormatError: If it asks for what tokkit does not do exactly.
    """
    parts = _canonical(content)
    cutting = read_pretokenizer(parts["pre_tokenizer"])
    normalizer = read_normalizer(
        parts["normalizer"], whole=cutting.first_pretokenizer is not None
    )
    model = content["model"]
    if model_kind(model) == "Unigram":
        text = source.content.decode() if source and source.content else json.dumps(content)
        model = {**model, "vocab": read_vocabulary(text)}
    ids = model_tokens(model)
    added = AddedTokens(
        tuple(_number(content.get("added_tokens") or [], ids, len(model["vocab"])))
    )
    contents = {token.content for token in added.tokens}
    longest = recognise_longest(parts["pre_tokenizer"], model, ids, contents)
    if longest is not None:
        cutting = Cutting(Whole(), None, "bytes", None)
    segmenter: Segmenter = longest or read_model(model, ids, cutting.units)
    _refuse_ambiguous(added, normalizer)
    reading = unmarked(read_decoder(parts["decoder"] or implied_decoder(parts, model)), model)
    added_bytes = {each: _added_bytes(each, normalizer, reading) for each in added.tokens}
    return Tokenizer(
        _vocabulary(ids, added_bytes, reading.token_bytes, _unknown(model)),
        segmenter,
        pretokenizer=cutting.pretokenizer,
        first_pretokenizer=cutting.first_pretokenizer,
        normalizer=normalizer,
        added=added,
        pattern=cutting.pattern,
        source=source,
        first_space=reading.first_space,
        keeps_bytes=cutting.units == "bytes"
        and normalizer is None
        and all(character in ids for character in BYTE_LEVEL),
    )


def _canonical(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let the library read all but the model and write it again, defaults spelled out."""
    names = "normalizer", "pre_tokenizer", "decoder"
    if content.get("version", "1.0") != "1.0":
        raise FormatError(f"its version is {content['version']!r}, and tokkit reads '1.0'")
    try:
        written = foreign_component(**{name: content.get(name) for name in names}).to_str()
    except Exception as error:
        raise FormatError(f"the tokenizers library cannot read it ({error})") from None
    return cast("Mapping[str, Any]", json.loads(written))


def _number(
    entries: Sequence[Mapping[str, Any]], ids: Mapping[str, int], size: int
) -> list[Added]:
    """Give added tokens their ids: the model's, or the next free one; not those they state."""
    found: dict[str, Added] = {}
    following = size
    for entry in entries:
        content = entry["content"]
        if not content:
            continue
        token_id = found[content].token_id if content in found else ids.get(content)
        if token_id is None:
            token_id = following
            following += 1
        flags = {
            name: bool(entry[name])
            for name in ("special", "lstrip", "rstrip", "single_word", "normalized")
        }
        found[content] = Added(content, token_id, **flags)
    return list(found.values())


def _refuse_ambiguous(added: AddedTokens, normalizer: Normalizer | None) -> None:
    """Refuse added tokens that normalizing makes equal, or nothing: the library does so too."""
    seen: dict[bytes, str] = {}
    for token in added.tokens:
        if not token.normalized:
            continue
        text = token.content.encode()
        text = normalizer.normalize(text) if normalizer else text
        if not text or text in seen:
            other = seen.get(text)
            reason = f"and {other!r} are the same" if other else "is nothing"
            raise FormatError(f"its added token {token.content!r} {reason} when normalized")
        seen[text] = token.content


def _added_bytes(each: Added, normalizer: Normalizer | None, reading: Reading) -> bytes:
    """Return the bytes of an added token: those of the text it is looked for in."""
    if normalizer is None or not each.normalized:
        return reading.added_bytes(each.content)
    content = normalizer.normalize(each.content.encode()).decode()
    read = reading.added_bytes if content == each.content else reading.token_bytes
    return read(content)


def _unknown(model: Mapping[str, Any]) -> str | None:
    """Return the unknown token of a model."""
    if model_kind(model) == "Unigram":
        unknown = model.get("unk_id")
        return None if unknown is None else str(model["vocab"][unknown][0])
    return cast("str | None", model.get("unk_token"))


def _vocabulary(
    ids: Mapping[str, int],
    added: Mapping[Added, bytes],
    token_bytes: Callable[[str], bytes],
    unknown: str | None,
) -> Vocabulary:
    """Collect the bytes of all tokens; special and unknown tokens have none."""
    size = 1 + max([*ids.values(), *(token.token_id for token in added)], default=-1)
    tokens = [b""] * size
    for token, token_id in ids.items():
        tokens[token_id] = token_bytes(token)
    specials: dict[str, int] = {}
    if unknown is not None and unknown in ids:
        specials[unknown] = ids[unknown]
    for each, data in added.items():
        if each.special:
            specials[each.content] = each.token_id
        tokens[each.token_id] = data
    for token_id in specials.values():
        tokens[token_id] = b""
    return Vocabulary(tuple(tokens), specials)
