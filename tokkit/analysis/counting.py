"""One pass over a corpus: what is counted of documents, for all tokenizers and groups.

Memory does not grow with the corpus; see `tokkit.analysis.tally.Tally` and
`tokkit.analysis.words.Words`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokkit.analysis.encoding import Encoder
from tokkit.analysis.labelled import Labelled
from tokkit.analysis.measures import OF_WORDS, columns
from tokkit.analysis.parity_counts import unknown_id
from tokkit.analysis.tally import Rows, Tally, pick
from tokkit.analysis.words import Form, Words
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids, Offsets
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

BATCH = 1 << 22
"""How many bytes of text are encoded at once."""
MOST_GROUPS = 300
Label = tuple[str, str]
"""What documents are grouped by, and which of the groups; ``("all", "all")``."""
ALL: Label = ("all", "all")


class Counting:
    """Counts documents under several tokenizers at once.

    Args:
        tokenizers: By name.
        fields: What documents are grouped by.

    Attributes:
        groups: What was counted, by group.
        words: The distinct words.
        columns: What the columns of the groups' sums are.
        token_bytes: The length of each token, by tokenizer.
        missed: Words that came too late to be kept.
    """

    def __init__(self, tokenizers: Mapping[str, Tokenizer], fields: Sequence[str]) -> None:
        self._encoders = {name: Encoder(each) for name, each in tokenizers.items()}
        self._flags = {name: _flags(each) for name, each in tokenizers.items()}
        self._fields = tuple(fields)
        self._sizes = {name: len(each) for name, each in tokenizers.items()}
        self.token_bytes = {
            name: np.array(list(map(len, each.vocab.tokens)), dtype=np.int64)
            for name, each in tokenizers.items()
        }
        self._pool = ThreadPoolExecutor(min(len(tokenizers), os.cpu_count() or 1))
        self.columns = columns(list(tokenizers))
        self.words = Words(self._encoders)
        self.missed = 0
        self.groups: dict[Label, Tally] = {ALL: Tally(self._sizes, len(self.columns))}

    def add_all(
        self,
        documents: Iterable[Labelled],
        progress: Progress = silent,
    ) -> None:
        """Count documents, about `BATCH` bytes at once.

        Raises:
            UsageError: If there are more than `MOST_GROUPS` groups.
        """
        batch: list[Labelled] = []
        size = done = 0
        with self._pool:
            for document in documents:
                batch.append(document)
                size += len(document.text)
                if size >= BATCH:
                    self._add(batch)
                    batch, done, size = [], done + size, 0
                    progress("counting", done, 0)
            if batch:
                self._add(batch)

    def _add(self, batch: Sequence[Labelled]) -> None:
        texts = [document.text for document in batch]
        waiting = {
            name: self._pool.submit(encoder.encode, texts)
            for name, encoder in self._encoders.items()
        }
        decoded = [text.decode("utf-8", "surrogateescape") for text in texts]
        split = [text.split() for text in decoded]
        ends = np.cumsum([len(each) for each in split], dtype=np.int64)
        words = self.words.add(list(chain.from_iterable(split)), self._count_tokens)
        self.missed += int((words < 0).sum())
        tokens = {name: each.result() for name, each in waiting.items()}
        rows = np.zeros((len(batch), len(self.columns)))
        self._measure_texts(rows, texts, decoded, ends)
        self._measure_words(rows, words, ends)
        for name, (ids, id_ends) in tokens.items():
            self._measure_tokens(rows, name, ids, id_ends)
        self._deal(batch, rows, tokens, words, ends)

    def _count_tokens(self, texts: Sequence[bytes], form: Form) -> dict[str, NDArray[np.int64]]:
        """Return how many tokens each text has in a form."""
        waiting = {
            name: self._pool.submit(getattr(encoder, _COUNTERS[form]), texts)
            for name, encoder in self._encoders.items()
        }
        return {name: each.result() for name, each in waiting.items()}

    def _measure_texts(
        self, rows: Rows, texts: Sequence[bytes], decoded: Sequence[str], ends: Offsets
    ) -> None:
        values: dict[str, ArrayLike] = {
            "documents": 1,
            "bytes": [len(text) for text in texts],
            "characters": [len(text) for text in decoded],
            "lines": [text.count(b"\n") + (text[-1:] != b"\n") for text in texts],
            "words": np.diff(ends, prepend=0),
        }
        for name, value in values.items():
            rows[:, self.columns["", name]] = np.asarray(value)

    def _measure_words(self, rows: Rows, words: Ids, ends: Offsets) -> None:
        """Add up what the words of each document have."""
        for (tokenizer, name), place in self.columns.items():
            if name in OF_WORDS:
                rows[:, place] = _sums(self.words.column(tokenizer, name)[words], ends)

    def _measure_tokens(self, rows: Rows, name: str, ids: Ids, ends: Offsets) -> None:
        counts = np.diff(ends, prepend=0)
        divisor = np.where(counts > 0, counts, np.inf)
        values = {
            "tokens": counts,
            "filled": counts > 0,
            "bytes_ratio": rows[:, self.columns["", "bytes"]] / divisor,
            "characters_ratio": rows[:, self.columns["", "characters"]] / divisor,
        }
        for flag, of_id in self._flags[name].items():
            values[flag] = _sums(of_id[ids], ends)
        for column, value in values.items():
            rows[:, self.columns[name, column]] = value

    def _deal(
        self,
        batch: Sequence[Labelled],
        rows: Rows,
        tokens: Mapping[str, tuple[Ids, Offsets]],
        words: Ids,
        ends: Offsets,
    ) -> None:
        """Give each group its documents."""
        self.groups[ALL].add(rows, tokens, (words, ends))
        for place, field in enumerate(self._fields):
            members: dict[str, list[int]] = {}
            for number, document in enumerate(batch):
                members.setdefault(document.groups[place], []).append(number)
            for group, numbers in members.items():
                own = {name: pick(*each, numbers) for name, each in tokens.items()}
                picked = pick(words, ends, numbers)
                self._group((field, group)).add(rows[numbers], own, picked)

    def _group(self, label: Label) -> Tally:
        if label not in self.groups:
            if len(self.groups) > MOST_GROUPS:
                raise UsageError(
                    f"there are more than {MOST_GROUPS} groups, such as {label[0]} "
                    f"{label[1][:40]!r}: group by a field with fewer values"
                )
            self.groups[label] = Tally(self._sizes, len(self.columns))
        return self.groups[label]


_COUNTERS: Mapping[Form, str] = {
    "alone": "count",
    "spaced": "count_after_space",
    "bare": "count_bare",
}


def _flags(tokenizer: Tokenizer) -> dict[str, NDArray[np.bool_]]:
    """Say of each id whether it is unknown, white space, or no whole characters."""
    tokens = tokenizer.vocab.tokens
    unknown = np.zeros(len(tokenizer), dtype=np.bool_)
    lost = unknown_id(tokenizer)
    if lost is not None:
        unknown[lost] = True
    decoded = [token.decode("utf-8", "replace") for token in tokens]
    return {
        "unknown": unknown,
        "white": np.array([text.isspace() for text in decoded], dtype=np.bool_),
        "fragments": np.array(
            [text.encode() != token for text, token in zip(decoded, tokens, strict=True)],
            dtype=np.bool_,
        ),
    }


def _sums(values: NDArray[np.generic], ends: Offsets) -> NDArray[np.int64]:
    """Add up the values of each document, given where those of each end."""
    total = np.append(0, np.cumsum(values, dtype=np.int64))
    return np.diff(total[ends], prepend=0)
