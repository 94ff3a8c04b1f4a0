"""Large vocabularies: a model's own tokens, and the frequent words of a corpus beside them."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokkit.corpus import Corpus, Tally
from tokkit.errors import UsageError, VocabularyError
from tokkit.kernels._jit import Bytes, Offsets
from tokkit.patterns import PATTERNS
from tokkit.pretokenize import Pieces, Pretokenizer, Whole, for_pattern
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer, rewrites, to_bytes
from tokkit.words.table import WordTable

_SPACE = 0x20
_WORD_BYTES = np.array([byte >= 0x80 or chr(byte).isalnum() for byte in range(256)])
"""Which bytes may be the last of a word."""


def frequent_tokens(
    tokenizer: Tokenizer,
    corpus: Corpus,
    size: int,
    *,
    words: int = 1,
    min_count: int = 2,
    progress: Progress = silent,
) -> list[bytes]:
    """Return the most frequent pieces of a corpus that a tokenizer has no token for.

    Pieces are what the tokenizer's own pre-tokenizer cuts, words with the space before them
    usually. Memory grows with the number of distinct ones.

    Args:
        tokenizer: The tokenizer of the model.
        corpus: Where pieces are counted.
        size: How many tokens the model's own and the new ones are together, at most.
        words: How many words in a row may be a token; beyond the first they have a space before
            them, and there is nothing but words in them.
        min_count: How often a piece has to be there.
        progress: Told ``("counting", bytes so far, bytes)``.

    Returns:
        The most frequent first, of equally frequent ones the one whose bytes come first.

    Raises:
        UsageError: If `size` leaves no room for new tokens.
        CorpusError: If the corpus has no text, or a bad record.
    """
    room = size - len(tokenizer)
    if room < 1:
        raise UsageError(
            f"the model has {len(tokenizer):,} tokens of its own, so {size:,} leave no room "
            "for new ones: ask for more (--size)"
        )
    table, tally = WordTable(), Tally()
    cutter = word_cutter(tokenizer)
    done, total = 0, corpus.size
    for shard in corpus.shards(1):
        for data, ends in shard.batches(tally=tally):
            _count(cutter, data, ends, words, table)
            done += data.size
            progress("counting", min(done, total), total)
    corpus.record(tally)
    return _most_frequent(table, tokenizer, room, min_count)


def word_cutter(tokenizer: Tokenizer) -> Pretokenizer:
    """Return what cuts text into words as a tokenizer does.

    One that cuts nothing, or changes what it cuts, says nothing about words: GPT-2's pattern
    does then.
    """
    own = tokenizer.pretokenizer
    return for_pattern(PATTERNS["gpt2"]) if isinstance(own, Whole) or rewrites(own) else own


def _count(
    cutter: Pretokenizer, data: Bytes, ends: Offsets, words: int, table: WordTable
) -> None:
    """Count the pieces of documents, and as many of them in a row as are wanted."""
    pieces = cutter.split(Pieces(data, ends))
    table.add(pieces.data, pieces.ends)
    if words == 1 or not pieces.ends.size:
        return
    starts = np.append(0, pieces.ends[:-1])
    document = np.searchsorted(ends, pieces.ends)
    is_word = _WORD_BYTES[pieces.data[pieces.ends - 1]]
    goes_on = is_word & (pieces.data[starts] == _SPACE) & (document == np.roll(document, 1))
    goes_on[0] = False
    found = is_word
    for count in range(2, words + 1):
        found = found[:-1] & goes_on[count - 1 :]
        first = np.flatnonzero(found)
        table.add(*_gather(pieces.data, starts[first], pieces.ends[first + count - 1]))


def _gather(data: Bytes, starts: Offsets, stops: Offsets) -> tuple[Bytes, Offsets]:
    """Lay stretches of bytes end to end; they may overlap."""
    lengths = stops - starts
    ends = np.cumsum(lengths)
    shifts = np.repeat(starts - (ends - lengths), lengths)
    return data[np.arange(shifts.size) + shifts], ends


def _most_frequent(
    table: WordTable, tokenizer: Tokenizer, room: int, min_count: int
) -> list[bytes]:
    """Return the most frequent strings that are no tokens yet."""
    data, ends, counts = table.sorted()
    text = data.tobytes()
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= min_count]
    known = tokenizer.vocab.ids
    found: list[bytes] = []
    for number in order.tolist():
        token = text[int(ends[number - 1]) if number else 0 : int(ends[number])]
        if token not in known:
            found.append(token)
            if len(found) == room:
                break
    return found


def new_tokens(tokenizer: Tokenizer, tokens: Iterable[bytes]) -> list[bytes]:
    """Return tokens that a tokenizer does not have, each once, in the order given."""
    known = tokenizer.vocab.ids
    return [token for token in dict.fromkeys(tokens) if token and token not in known]


def read_tokens(path: str | Path) -> list[bytes]:
    r"""Read tokens from JSON lines.

    A line is a string, or an object with ``text``, or with ``hex`` for bytes that are no text:
    ``" the"``, ``{"text": " the"}`` and ``{"hex": "20746865"}`` are the same token.

    Raises:
        VocabularyError: If a line is none of these.
    """
    with open(path, "rb") as file:
        return [_read(line, f"{path}:{number}") for number, line in _numbered(file)]


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Number the lines that are not empty."""
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _read(line: bytes, place: str) -> bytes:
    try:
        value: Any = json.loads(line)
        if isinstance(value, dict):
            return bytes.fromhex(value["hex"]) if "hex" in value else to_bytes(value["text"])
        if isinstance(value, str):
            return to_bytes(value)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise VocabularyError(
        f'{place}: no token: write a string, {{"text": "a"}} or {{"hex": "e282"}} on each line'
    )


def write_tokens(path: str | Path, tokens: Sequence[bytes]) -> None:
    """Write tokens as `read_tokens` reads them; the file is whole, or as it was."""
    place = Path(path)
    partial = place.with_name(f".{place.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for token in tokens:
            file.write(json.dumps(_spelled(token), ensure_ascii=False) + "\n")
    os.replace(partial, place)


def _spelled(token: bytes) -> str | dict[str, str]:
    """Write a token as text, or in hexadecimal where it is none."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return {"hex": token.hex()}
