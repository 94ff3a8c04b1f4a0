"""How the tokens of two tokenizers correspond: by bytes, by roles, as the user says."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from tokkit.byte_spelling import spell, spellings, usual_ids
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import COPIED, MEAN, OVERRIDE, ROLE, UNUSED, Alignment

_RESERVED = re.compile(r"reserved|unused|extra_id|placeholder|dummy|control_\d", re.IGNORECASE)
"""Special tokens with such names are ids kept free for later."""


def align(
    source: Tokenizer,
    target: Tokenizer,
    *,
    roles: Mapping[int, int] | None = None,
    output_roles: Mapping[int, int] | None = None,
    overrides: Mapping[int, Sequence[int]] | None = None,
) -> Alignment:
    """Find, for each target token, the source token that stands for the same, or its pieces.

    Tokens with bytes correspond by their bytes, never by how a file writes them. Of several
    source tokens with the same bytes the one that is written the same in its file counts
    (Llama-2's ``<0x41>`` for another ``<0x41>``), then the one that text usually gets. Special
    tokens correspond as `roles` say, then if they are written the same.

    Args:
        source: The tokenizer of the model.
        target: The tokenizer it is moved onto.
        roles: Source ids of target special tokens, such as those that end a text.
        output_roles: The same for output rows, where that differs.
        overrides: Source ids of target tokens, which decide before anything else; several make
            a token that is composed from them.
    """
    size = len(target.vocab)
    matches = _match_bytes(source, target)
    origins = np.where(matches >= 0, COPIED, UNUSED).astype(np.uint8)
    _match_specials(source, target, roles or {}, matches, origins)
    chosen = {token: list(ids) for token, ids in (overrides or {}).items()}
    for token, ids in chosen.items():
        matches[token] = ids[0] if len(ids) == 1 else -1
        origins[token] = OVERRIDE
    texts = target.vocab.tokens
    new = [i for i in range(size) if matches[i] < 0 and (texts[i] or i in chosen)]
    ends, pieces = _pieces(source, [(texts[i], chosen.get(i)) for i in new])
    output = {
        token: found
        for token, found in (output_roles or {}).items()
        if origins[token] == ROLE and matches[token] != found
    }
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    return Alignment(
        matches,
        origins,
        np.array(new, dtype=np.int32),
        ends,
        pieces,
        _used(source),
        np.flatnonzero(has_text & (origins == COPIED)).astype(np.int32),
        output,
    )


def _match_bytes(source: Tokenizer, target: Tokenizer) -> Ids:
    """Return the source id with the bytes of each target id; -1 where there is none."""
    usual = usual_ids(source)
    same = {
        (token, spelling): token_id
        for token_id, (token, spelling) in reversed(
            [*enumerate(zip(source.vocab.tokens, spellings(source), strict=False))]
        )
        if token
    }
    found = [
        same.get((token, spelling), usual.get(token, -1))
        for token, spelling in zip(target.vocab.tokens, spellings(target), strict=False)
    ]
    found += [usual.get(token, -1) for token in target.vocab.tokens[len(found) :]]
    return np.array(found, dtype=np.int32)


def _match_specials(
    source: Tokenizer,
    target: Tokenizer,
    roles: Mapping[int, int],
    matches: Ids,
    origins: "np.ndarray[tuple[int], np.dtype[np.uint8]]",
) -> None:
    """Fill in the special tokens of the target, and markers that files do not call special."""
    for token, found in roles.items():
        if target.vocab.tokens[token] and matches[token] < 0:
            matches[token], origins[token] = found, ROLE
    for text, token in target.vocab.specials.items():
        if target.vocab.tokens[token]:
            continue
        found = roles.get(token, source.vocab.specials.get(text, -1))
        matches[token] = found
        if found >= 0:
            origins[token] = ROLE
        else:
            origins[token] = UNUSED if _RESERVED.search(text) else MEAN


def _pieces(
    source: Tokenizer, wanted: Sequence[tuple[bytes, Sequence[int] | None]]
) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", Ids]:
    """Spell each of the new tokens, or take the pieces the user gave for it."""
    ends, ids = spell(source, [b"" if given else text for text, given in wanted])
    if not any(given for _, given in wanted):
        return ends, ids
    starts = np.append(0, ends[:-1])
    parts = [
        np.array(given, dtype=np.int32) if given else ids[start:end]
        for (_, given), start, end in zip(wanted, starts, ends, strict=True)
    ]
    lengths = np.array([part.size for part in parts], dtype=np.int64)
    return np.cumsum(lengths), np.concatenate(parts)


def _used(source: Tokenizer) -> Ids:
    """Return the source ids that stand for something: bytes, or a special token in use."""
    specials = {
        token for text, token in source.vocab.specials.items() if not _RESERVED.search(text)
    }
    ids = [i for i, token in enumerate(source.vocab.tokens) if token or i in specials]
    return np.array(ids, dtype=np.int32)


def find_target(target: Tokenizer, text: str) -> int:
    """Return the id of a target token by its text, special or not, or its number.

    Raises:
        UsageError: If there is none, or the text is several tokens.
    """
    if text in target.vocab.specials:
        return target.vocab.specials[text]
    spelled = text.encode("utf-8", "surrogateescape")
    if spelled in target.vocab.ids:
        return target.vocab.ids[spelled]
    raise UsageError(f"--override {text!r}: the target tokenizer has no such token")


def read_overrides(
    source: Tokenizer, target: Tokenizer, assignments: Sequence[str]
) -> dict[int, list[int]]:
    """Read what the user says: ``"<|eot_id|>=</s>"`` maps the target's token on the source's.

    The source text may be several tokens; special tokens written in it count as such.

    Raises:
        UsageError: If an assignment has no ``=``, names no target token, or says nothing.
    """
    found = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name or not text:
            raise UsageError(f"--override {assignment!r} is not of the form TARGET=SOURCE_TEXT")
        found[find_target(target, name)] = _source_ids(source, text)
    return found


def _source_ids(source: Tokenizer, text: str) -> list[int]:
    """Return the source tokens of a text as the user writes it, special tokens included."""
    if text in source.vocab.specials:
        return [source.vocab.specials[text]]
    segments = source.added.split(
        text.encode("utf-8", "surrogateescape"), None, parse_specials=True
    )
    ids: list[int] = []
    for segment in segments:
        if segment.token_id >= 0:
            ids.append(segment.token_id)
        else:
            ids += spell(source, [segment.data])[1].tolist()
    if not ids:
        raise UsageError(f"--override ...={text}: the source tokenizer cannot spell this")
    return ids
