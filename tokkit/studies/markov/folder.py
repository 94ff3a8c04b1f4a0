"""The folder of a study of a Markov source."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokkit.errors import UsageError
from tokkit.progress import Progress, silent
from tokkit.results import (
    SUMMARY,
    Provenance,
    begin_folder,
    write_json,
    write_table,
)
from tokkit.studies.markov.measuring import study
from tokkit.studies.markov.plan import Plan
from tokkit.studies.markov.result import Result
from tokkit.studies.markov.source import Source

LOSSES, CURVES = "losses.csv", "curves.csv"
WORKSPACE = "training"
_REQUEST = "request.json"


def run_study(
    source: Source,
    plan: Plan,
    folder: str | Path,
    *,
    inputs: Sequence[Path] = (),
    command: Sequence[str] = (),
    force: bool = False,
    progress: Progress = silent,
) -> Result:
    """Do a study, as `tokkit.studies.markov.measuring.study` does, and write it.

    The folder gets ``losses.csv`` (a line per dictionary, size and seed), ``curves.csv`` (a
    line per model and measured step) and, last, ``summary.json``. The same study that was
    killed there goes on from the last points of its models.

    Args:
        source: What text is drawn from.
        plan: What to measure.
        folder: Where to.
        inputs: The files that the source is from.
        command: The command line, for ``summary.json``.
        force: Whether an older study in the folder is replaced.
        progress: See `tokkit.studies.markov.measuring.study`.

    Raises:
        UsageError: If there is something that would be lost, or a study of other settings was
            begun there; and what `tokkit.studies.markov.measuring.study` raises.
    """
    folder = Path(folder)
    plan.check(source)
    place = _begin(folder, source, plan, force=force)
    result = study(source, plan, workspace=place, progress=progress)
    seeds = {"first": plan.seed, "count": plan.seeds}
    _write(
        folder,
        result,
        Provenance(study="markov", command=command, seeds=seeds, inputs=inputs),
    )
    return result


def _begin(folder: Path, source: Source, plan: Plan, *, force: bool) -> Path:
    """Make the folder, or take over what a killed study left: where models are kept."""
    place = folder / WORKSPACE
    request = _request(source, plan)
    begun = (place / _REQUEST).is_file() and not (folder / SUMMARY).exists()
    begin_folder(folder, force=force, resume=begun)
    if begun and json.loads((place / _REQUEST).read_text(encoding="utf-8")) != request:
        if not force:
            raise UsageError(
                f"{str(folder)!r} has a study of other settings that was not finished: ask "
                "for the same, choose another place, or --force begins anew"
            )
        begun = False
    if not begun:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        write_json(place / _REQUEST, request)
    return place


def _write(folder: Path, result: Result, provenance: Provenance) -> None:
    """Write everything; the models are not needed any more."""
    (folder / SUMMARY).unlink(missing_ok=True)
    write_table(result.frame(), folder / LOSSES)
    write_table(result.curves(), folder / CURVES)
    write_json(folder / SUMMARY, {**provenance.as_json(), **result.as_json()})
    shutil.rmtree(folder / WORKSPACE, ignore_errors=True)


def _request(source: Source, plan: Plan) -> Mapping[str, Any]:
    """Return what every figure depends on."""
    asked = {"source": source.name, "matrix": source.matrix.tolist(), "plan": asdict(plan)}
    # Tuples are lists once they were written.
    return dict(json.loads(json.dumps(asked)))
