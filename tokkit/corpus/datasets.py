"""Documents of Hugging Face datasets, streamed; imports `datasets` only when there are any."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from tokkit.corpus.problems import BadRecordError, Problems, text_of
from tokkit.corpus.sources import Source
from tokkit.corpus.streams import import_extra
from tokkit.errors import CorpusError


def parse_dataset(reference: str) -> tuple[str, str | None, str]:
    """Name, configuration and split of ``NAME[/CONFIG][:SPLIT]``; by default ``train``.

    A name is a folder, or has two parts, ``organisation/dataset``.

    Example: ``parse_dataset("allenai/c4/en:validation")`` is
    ``("allenai/c4", "en", "validation")``.
    """
    reference, _, split = reference.partition(":")
    name, configuration = reference, ""
    if not os.path.isdir(reference):
        organisation, _, rest = reference.partition("/")
        dataset, _, configuration = rest.partition("/")
        name = f"{organisation}/{dataset}" if dataset else organisation
    return name, configuration or None, split or "train"


def open_dataset(reference: str) -> Any:
    """Open a dataset for streaming.

    Raises:
        MissingExtraError: If `datasets` is not installed.
        CorpusError: If there is no such dataset, configuration or split.
    """
    datasets = import_extra("datasets")
    name, configuration, split = parse_dataset(reference)
    try:
        return datasets.load_dataset(name, configuration, split=split, streaming=True)
    except Exception as error:
        # The library raises whatever its builders, the hub client or the network raise.
        details = " ".join(str(error).split())[:200]
        raise CorpusError(f"the dataset hf:{reference} cannot be opened: {details}") from error


def read_dataset(
    source: Source, first: int, last: int, column: str, problems: Problems
) -> Iterator[tuple[int, bytes]]:
    """Read shards `first` to `last` (excluded) of a dataset, numbering rows in each."""
    dataset = open_dataset(source.path)
    for shard in range(first, min(last, source.units)):
        part = dataset.shard(num_shards=source.units, index=shard)
        for row, record in enumerate(part):
            try:
                if column not in record:
                    names = ", ".join(record)
                    raise BadRecordError(
                        "missing column", f"no column {column!r} (columns: {names})"
                    )
                yield (shard << 40) + row, text_of(record[column], column).encode()
            except BadRecordError as error:
                place = f"{source.name}, shard {shard}, record {row + 1}"
                problems.bad_record(error, partial(str, place))
