"""A transplantation from beginning to end: all of the new model is there, or nothing.

While it runs everything lies in ``OUTPUT.partial``::

    OUTPUT.partial/folder/    the model being written, renamed to OUTPUT when complete
    OUTPUT.partial/tuning/    what tuning keeps to go on from if it is killed
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import InputError, MissingExtraError, UsageError
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.transplant.account import ACCOUNT, Report, write_account
from tokkit.transplant.context import SIDES, Progress, silent
from tokkit.transplant.matrix import Matrix, Predict
from tokkit.transplant.metadata import write_metadata
from tokkit.transplant.options import Options
from tokkit.transplant.plan import PLAN_FILE
from tokkit.transplant.predicting import SIDE_OF, Part, predictions
from tokkit.transplant.preparing import Prepared, prepare
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.encoding import encode
from tokkit.weights.output import check_space
from tokkit.weights.tensors import read
from tokkit.weights.writing import (
    Hashed,
    New,
    hash_tensor,
    patch_rows,
    write_checkpoint,
)

if TYPE_CHECKING:
    from tokkit.transplant.running.session import Running


def transplant(
    model: str | Path,
    tokenizer: str | Path,
    output: str | Path,
    options: Options | None = None,
    *,
    save_plan: Path | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Report:
    """Write a model that reads and writes the tokens of another tokenizer.

    Args:
        model: A folder written by ``save_pretrained``, or a Hub id; it is not changed.
        tokenizer: The target tokenizer: anything that `tokkit.load` reads.
        output: The folder to write.
        options: What else is asked for.
        save_plan: Where to write the plan too.
        force: Replace what an earlier transplantation wrote at `output`.
        progress: Told how far each step is.

    Returns:
        What was done; the same lies in the folder as ``transplant.json``.

    Raises:
        UsageError: If `output` exists, or what is asked for does not go together.
        ModelError: If the model cannot be used.
        FormatError: If a tokenizer cannot be read.
        JobError: If something cannot be written.
        CheckError: If what was written is not what it should be (with ``verify``).
    """
    folder = Path(os.path.abspath(output))
    refuse_existing(folder, force=force, sign=ACCOUNT)
    if save_plan is not None:
        refuse_existing(save_plan, force=force)
    prepared = prepare(model, tokenizer, options, progress=progress)
    if save_plan is not None:
        prepared.plan.save(save_plan)
    with _partial(folder) as partial:
        report = _Job(prepared, partial, progress).run()
        replace_folder(partial / "folder", folder)
    return report.at(str(output))


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Make the folder to work in; what is left of it after a failure is what tuning kept."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial / "folder", ignore_errors=True)
    (partial / "folder").mkdir(parents=True)
    try:
        yield partial
    except BaseException as error:
        shutil.rmtree(partial / "folder", ignore_errors=True)
        kept = partial / "tuning"
        if isinstance(error, InputError) or not (kept.is_dir() and any(kept.iterdir())):
            shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(partial, ignore_errors=True)


class _Job:
    """The steps of one transplantation."""

    def __init__(self, prepared: Prepared, partial: Path, progress: Progress) -> None:
        self.prepared = prepared
        self.folder = partial / "folder"
        self.tuning = partial / "tuning"
        self.progress = progress
        self.device = _device(prepared.options.device)
        self.found: dict[str, Any] = {}

    def run(self) -> Report:
        """Do all that was asked for."""
        prepared = self.prepared
        check_space(self.folder, self._size())
        hashes = dict(self._write_weights())
        prepared.plan.save(self.folder / PLAN_FILE)
        metadata = write_metadata(prepared, self.folder)
        if prepared.options.tune:
            self._tune()
        if prepared.options.calibrate:
            self._calibrate()
        if self.found:
            self._hash_again(hashes)
        self._measure()
        report = Report.of(prepared, metadata, hashes, self.found)
        write_account(report, self.folder)
        return report

    def _size(self) -> int:
        """About how many bytes will be written, those that are kept meanwhile included."""
        prepared = self.prepared
        stored = prepared.checkpoint.tensors[prepared.embeddings.input]
        before, after = prepared.rows_before, prepared.rows
        matrices = 2 if prepared.head or prepared.embeddings.output else 1
        predicted = sum(prepared.plan.halves[side].predicted.size for side in SIDES[:matrices])
        return (
            prepared.checkpoint.size()
            + matrices * stored.size * (after - before) // before
            + 4 * predicted * stored.shape[1]
        )

    def _write_weights(self) -> Mapping[str, Hashed]:
        prepared, names = self.prepared, self.prepared.embeddings
        places: dict[Part, str | None] = {
            "input": names.input,
            "output": names.output or prepared.head,
            "bias": names.bias,
        }
        wanted = {part: name for part, name in places.items() if name is not None}
        scratch = self.folder.parent
        with predictions(
            prepared.plan, prepared.hypernet, [*wanted], scratch, self.progress
        ) as predicted:
            new = {
                name: self._new(name, part, predicted.get(part))
                for part, name in wanted.items()
            }
            # A tied head that was saved all the same is there already, and may be untied.
            new |= {twin: new.get(twin, new[name]) for twin, name in names.twins.items()}
            known = prepared.checkpoint.tensors
            return write_checkpoint(
                prepared.checkpoint,
                self.folder,
                {name: each for name, each in new.items() if name in known},
                added={name: each for name, each in new.items() if name not in known},
                progress=lambda _, done, total: self.progress("writing weights", done, total),
            )

    def _new(self, name: str, part: Part, predict: Predict | None) -> New:
        """Describe a tensor of the result; a head that is added is like the input embedding."""
        prepared, known = self.prepared, self.prepared.checkpoint.tensors
        stored = known[name if name in known else prepared.embeddings.input]
        dtype = prepared.dtype if prepared.options.dtype else stored.dtype
        shape = (prepared.rows, *stored.shape[1:])

        def blocks() -> Iterator[NDArray[Any]]:
            values = read(stored).reshape(stored.shape[0], -1)
            matrix = Matrix(prepared.plan, SIDE_OF[part], values, self.device, predict)
            for block in matrix.blocks(prepared.rows, dtype):
                yield block.reshape(-1, *shape[1:])

        return New(dtype, shape, blocks)

    def _tune(self) -> None:
        """Train the new rows, and write them."""
        patches, self.found["tuning"] = self._running.tune(self.tuning)
        for patch in patches:
            self._patch(*patch)

    def _calibrate(self) -> None:
        """Fit the new rows of the head, and write them."""
        patches, self.found["calibration"] = self._running.calibrate()
        for patch in patches:
            self._patch(*patch)

    @cached_property
    def _running(self) -> "Running":
        """What runs the models; torch is imported only where that is asked for."""
        from tokkit.transplant.running.session import Running

        return Running(self.prepared, self.folder, self.device, self.progress)

    def _patch(self, name: str, ids: NDArray[np.integer[Any]], values: NDArray[Any]) -> None:
        """Write rows of a tensor, and of those that repeat it, in the dtype it has."""
        dtype = Checkpoint.open(self.folder).tensors[name].dtype
        rows = encode(values.astype(np.float64), dtype)
        twins = self.prepared.embeddings.twins.items()
        repeating = (twin for twin, other in twins if other == name)
        for each in (name, *(twin for twin in repeating if twin != self.prepared.head)):
            patch_rows(self.folder, each, ids, rows)

    def _hash_again(self, hashes: dict[str, Hashed]) -> None:
        """Hash the tensors that were changed after they were written."""
        for name, stored in Checkpoint.open(self.folder).tensors.items():
            if not hashes[name].copied:
                hashes[name] = Hashed(hash_tensor(stored), False, stored.dtype, stored.shape)

    def _measure(self) -> None:
        """Check the folder, and measure both models, as far as that was asked for."""
        options = self.prepared.options
        if options.verify:
            from tokkit.transplant.checks.verify import verify_folder

            self.progress("verifying", 0, 0)
            self.found["verification"] = verify_folder(self.prepared, self.folder)
        if options.evaluate:
            self.found["evaluation"] = self._running.evaluate()


def _device(name: str) -> str:
    """Return what torch calls the device to use; torch is asked only where there may be one."""
    if name != "auto":
        return name if name == "cpu" else _check_device(name)
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return "cpu"
    try:
        import torch
    except ModuleNotFoundError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def _check_device(name: str) -> str:
    """Return the name of a device that torch has."""
    try:
        import torch
    except ModuleNotFoundError as missing:
        raise MissingExtraError("torch", "torch") from missing
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"torch has no device {name!r} here: take cpu or auto") from error
    return name
