"""Scoring files of answers, of tokkit's studies and of the public one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokkit.errors import CorpusError, UsageError
from tokkit.results import SUMMARY
from tokkit.studies.counting.plan import ZHANG2024
from tokkit.studies.counting.recorded import Asked, Recorded, asked_of_file, read_recorded
from tokkit.studies.counting.row_files import is_rows_file, read_rows
from tokkit.studies.counting.samples import plan_of, read_samples
from tokkit.studies.counting.scoring import CountingScores, score
from tokkit.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What recorded answers of a public study do not say.

    Attributes:
        strings: The file of strings, with the ids the answers are to.
        asked: What was asked, if names of files do not say.
        model: Who was asked, if answers do not say.
        tokenizer: What counts the tokens of strings.
    """

    strings: Path
    asked: Asked | None = None
    model: str | None = None
    tokenizer: Tokenizer | None = None


def score_files(
    paths: Sequence[Path],
    recording: Recording | None = None,
    *,
    compare_by: str = "format",
    pool: Sequence[str] = (),
    seed: int = 0,
) -> CountingScores:
    """Score answers in files.

    Args:
        paths: Rows that tokkit wrote (or the folder of a study), or recorded answers of arXiv
            2410.19730: `tokkit.studies.counting.recorded` says how they are named.
        recording: What is to be known of the latter.
        compare_by: See `tokkit.studies.counting.scoring.score`.
        pool: See there.
        seed: See there.

    Raises:
        CorpusError: If a file cannot be read, or there is no answer.
        UsageError: If it is not known what was asked.
    """
    import pandas

    files = [_rows_of(path) for path in paths]
    own = [path for path in files if is_rows_file(path)]
    others = [path for path in files if path not in own]
    frames = [read_rows(own)] if own else []
    notes: list[str] = []
    if others:
        if recording is None:
            raise UsageError(
                f"{others[0]} does not have the strings it has answers to: give the file of "
                "strings (--strings)"
            )
        read = [_read(path, recording) for path in others]
        frames += [found.rows for found in read if len(found.rows)]
        notes = [note for found in read for note in found.notes]
    if not frames:
        raise CorpusError(f"{paths[0]} has no answers")
    rows = pandas.concat([frame.astype(object) for frame in frames], ignore_index=True)
    return score(rows, compare_by=compare_by, pool=pool, notes=notes, seed=seed)


def _read(path: Path, recording: Recording) -> Recorded:
    """Read recorded answers."""
    samples = read_samples(recording.strings)
    return read_recorded(
        path,
        samples,
        plan_of(samples, replace(ZHANG2024, preset="")),
        recording.asked or asked_of_file(path),
        model=recording.model,
        tokenizer=recording.tokenizer,
    )


def _rows_of(path: Path) -> Path:
    """Return the file of rows that a study's folder has, or the file itself.

    Raises:
        UsageError: If there is none.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob("results.*")) if (path / SUMMARY).is_file() else []
    if not found:
        raise UsageError(f"{path} is not the folder of a study: it has no {SUMMARY}")
    return found[0]
