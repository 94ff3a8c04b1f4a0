"""The folder that scores are written to."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.results import Provenance, write_study, write_table
from tokkit.studies.numbers.scoring.scores import Scores

if TYPE_CHECKING:
    import pandas


def write_scores(scores: Scores, folder: Path, provenance: Provenance) -> None:
    """Write every table of scores as ``NAME.csv``, the rows as ``results.csv``, a summary.

    Args:
        scores: What to write.
        folder: Where to; see `tokkit.results.begin_folder`.
        provenance: Where the rows come from.
    """
    for name, frame in scores.frames.items():
        if name != "rows":
            write_table(_flat(frame), folder / f"{name}.csv")
    findings = {"settings": scores.settings, "prompts": scores.prompts}
    write_study(folder, _flat(scores.rows), provenance, findings)


def _flat(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """Write lists and mappings in a table as JSON; integers stay what they are."""
    import pandas

    flat = {
        name: pandas.Series([_text(value) for value in column], dtype=object)
        for name, column in frame.items()
    }
    return pandas.DataFrame(flat)


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
