"""Adding up files of word counts, however large."""

import json
import os
import shutil
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import tokkit
from tokkit.corpus.problems import MODULUS
from tokkit.errors import CorpusError
from tokkit.words.files import METHOD, CountsReader, CountsWriter, Run, write_errors
from tokkit.words.table import WordTable

FAN_IN = 64
ROWS_IN_MEMORY = 1 << 18


def merge_counts(
    paths: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str]
) -> None:
    """Add up files of word counts into one: the same bytes as counting everything at once.

    The files are read in step, so memory does not grow with them. No more than 64 are open at
    once; of more, sums of 64 are written to temporary files beside the output first.

    Raises:
        CorpusError: If a file does not hold word counts, or they were cut differently.
        JobError: If a count exceeds 2^63 - 1, or the output cannot be written.
        MissingExtraError: If `pyarrow` is not installed.
    """
    if not paths:
        raise CorpusError("there are no counts to merge; name at least one file")
    inputs, target = [Path(path) for path in paths], Path(output)
    folder = target.with_name(f".{target.name}.parts")
    # A merge that was killed may have left some.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for level in count():
            if len(inputs) <= FAN_IN:
                break
            inputs = _merge_groups(inputs, folder / str(level))
        _merge(inputs, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _merge_groups(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Merge files by groups into files in a new folder."""
    with write_errors(folder):
        folder.mkdir(parents=True)
    groups = [paths[first : first + FAN_IN] for first in range(0, len(paths), FAN_IN)]
    sums = [folder / f"{number}.parquet" for number in range(len(groups))]
    for group, path in zip(groups, sums, strict=True):
        _merge(group, path)
    return sums


def _merge(paths: Sequence[Path], output: Path) -> None:
    """Merge few enough files to have all of them open."""
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(CountsReader(path))) for path in paths]
        with CountsWriter(output, merge_metadata(readers)) as writer:
            rows = min(ROWS_IN_MEMORY // len(readers), 1 << 16)
            for run in merge_runs([reader.runs(rows) for reader in readers]):
                writer.write(run)


def merge_runs(sources: Sequence[Iterator[Run]]) -> Iterator[Run]:
    """Add up sequences of runs, holding one run of each in memory.

    In each step the words up to the smallest last word of the runs are complete: no later run
    can hold them.
    """
    heads = {number: run for number, runs in enumerate(sources) if (run := next(runs, None))}
    while heads:
        bound = min(run.word(len(run.ends) - 1) for run in heads.values())
        table = WordTable()
        for number, run in list(heads.items()):
            size = len(run.ends)
            taken = bisect_right(range(size), bound, key=run.word)
            table.add(*run.part(0, taken))
            rest = run.part(taken, size) if taken < size else next(sources[number], None)
            if rest is None:
                del heads[number]
            else:
                heads[number] = rest
        yield Run(*table.sorted())


def merge_metadata(readers: Sequence[CountsReader]) -> dict[str, str]:
    """The metadata of the sum.

    Raises:
        CorpusError: If files were cut differently, naming the first one that differs.
    """
    first = readers[0]
    digest, documents, size, skipped = 0, 0, 0, Counter[str]()
    for reader in readers:
        for key in METHOD:
            ours, theirs = first.metadata[key], reader.metadata[key]
            if ours != theirs:
                raise CorpusError(
                    f"{reader.path} was counted with {key} {theirs!r}, {first.path} with "
                    f"{ours!r}; count both in the same way"
                )
        try:
            digest += int(reader.metadata["digest"], 16)
            documents += int(reader.metadata["documents"])
            size += int(reader.metadata["bytes"])
            skipped.update(json.loads(reader.metadata["skipped"]))
        except (ValueError, TypeError) as error:
            raise CorpusError(f"{reader.path} has damaged metadata; count it again") from error
    return {
        "tokkit": tokkit.__version__,
        **{key: first.metadata[key] for key in METHOD},
        "digest": f"{digest % MODULUS:032x}",
        "documents": str(documents),
        "bytes": str(size),
        "skipped": json.dumps(dict(sorted(skipped.items()))),
    }
