"""Counting into a file, so that a killed job can go on where it was."""

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from tokkit.corpus import Corpus
from tokkit.errors import InputError, UsageError
from tokkit.patterns import Pattern
from tokkit.words.counting import count_words
from tokkit.words.files import write_counts
from tokkit.words.wordcounts import WordCounts


def count_into(
    path: Path,
    corpus: Corpus,
    pattern: Pattern,
    *,
    executor: Executor | None = None,
    parts: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
    force: bool = False,
    resume: bool = False,
) -> WordCounts:
    """Count the words of a corpus and write them; finished parts wait in ``PATH.partial``.

    Args:
        path: The file to write, as `write_counts` does; an older one is replaced.
        corpus: See `count_words`, also for the next four.
        pattern: How text is cut.
        executor: Where parts are counted.
        parts: Into how many parts to divide the corpus at least.
        progress: Told how far it is.
        force: Start over whatever an earlier job left.
        resume: Use what an earlier job left, as far as it counted the same text the same way.

    Raises:
        CorpusError: If the corpus has no text, or a bad record.
        JobError: If workers keep dying, or a file cannot be written.
        UsageError: If an earlier job left something, and neither is asked for.
    """
    workspace = path.with_name(f"{path.name}.partial")
    if workspace.exists() and not (force or resume):
        raise UsageError(
            f"{str(workspace)!r} is left of a job that did not finish: "
            "--resume continues it, --force starts over"
        )
    if workspace.exists() and not resume:
        shutil.rmtree(workspace)
    try:
        counts = count_words(
            corpus,
            pattern,
            executor=executor,
            parts=parts,
            progress=progress,
            workspace=workspace,
        )
    except InputError:
        shutil.rmtree(workspace, ignore_errors=True)  # the request has to change
        raise
    write_counts(counts, path)
    shutil.rmtree(workspace, ignore_errors=True)
    return counts
