"""Continued training from beginning to end: all of the new folder is there, or nothing.

While it runs everything lies in ``OUTPUT.partial``, from where the same request goes on::

    OUTPUT.partial/request.json     what was asked for
    OUTPUT.partial/tokens.int32     the text
    OUTPUT.partial/checkpoint.pt    the last state that was kept
    OUTPUT.partial/folder/          the model being written, renamed to OUTPUT when complete
"""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from tokkit.corpus import Corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.lm.hf_load import quiet
from tokkit.lm.processes import ALONE, Processes
from tokkit.lm.train_run import Run
from tokkit.lm.train_work import CHECKPOINT, partial_folder, take_over, work
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.transplant.context import Progress, silent
from tokkit.transplant.continuing.account import ACCOUNT, Continued, describe
from tokkit.transplant.continuing.opening import Opened, load_model, open_all
from tokkit.transplant.continuing.request import LENGTH, Request
from tokkit.transplant.continuing.saving import save_model, usual_dtype
from tokkit.transplant.continuing.text import Counts, open_tokens, write_tokens
from tokkit.transplant.continuing.trained import lexical_penalty, trainable
from tokkit.transplant.plan import PLAN_FILE, Plan
from tokkit.transplant.running.evaluate import KNOWN, Evaluation, evaluate

_log = logging.getLogger("tokkit")


def continue_training(
    model: str | Path,
    output: str | Path,
    request: Request,
    *,
    force: bool = False,
    processes: Processes = ALONE,
    progress: Progress = silent,
) -> Continued:
    """Train a model further and write it with its tokenizer, its plan and ``continued.json``.

    A run that left ``OUTPUT.partial`` behind is continued. On a CPU, and with equally many
    threads, the weights are the same bit for bit as if it had never been interrupted.

    Args:
        model: A folder that `tokkit.transplant.transplant` wrote, or any causal language model
            in safetensors; it is not changed.
        output: The folder to write.
        request: How to train.
        force: Replace what an earlier continued training wrote at `output`.
        processes: Who shares the batches. All have to see the same folders; the main one
            writes, and evaluates.
        progress: Told how far each step is.

    Returns:
        What was done; the same lies in the folder. The evaluation is the main process's.

    Raises:
        UsageError: If `output` exists, the run begun there was another one, or what is asked
            for does not go together.
        ModelError: If the model cannot be used.
        CorpusError: If a text is missing, damaged or too short.
        JobError: If the loss is not a number any more, or something cannot be written.
        KeyboardInterrupt: As it came, after the step under way was kept.
    """
    folder = Path(os.path.abspath(output))
    refuse_existing(folder, force=force, sign=ACCOUNT)
    place = partial_folder(folder)
    opened = open_all(model, request, processes, progress)
    run, counts = _train(opened, place, progress)
    found = Continued(describe(str(model), opened, run, counts), output=str(output))
    if not processes.is_main:
        return found
    result = place / "folder"
    save_model(run.model, opened.source, result)
    before, texts = opened.source.folder, opened.measured
    del run, opened  # The models that are measured need the room.
    if texts:
        measured = _evaluate((before, result), texts, request.seed, processes, progress)
        found = replace(found, evaluation=measured)
    found.write(result)
    replace_folder(result, folder)
    shutil.rmtree(place)
    return found


def _train(opened: Opened, place: Path, progress: Progress) -> tuple[Run, Counts]:
    """Take all steps that are left of the run in a folder."""
    if opened.processes.is_main:
        take_over(place, opened.decisive)
        try:
            write_tokens(
                opened.corpus.documents(),
                opened.model.tokenizer,
                opened.around,
                place,
                size=opened.corpus.size,
                progress=progress,
            )
        except CorpusError:
            shutil.rmtree(place)  # Nothing was trained yet, and other text is wanted.
            raise
    opened.processes.wait()
    stream, counts = open_tokens(place)
    with trainable(opened.model, opened.request.train, opened.new) as matrices:
        run = _begin(opened, matrices)
        if len(stream) <= run.context:
            if opened.processes.is_main:
                shutil.rmtree(place)
            raise CorpusError(
                f"the text has {len(stream)} tokens, which fill no window of "
                f"{run.context + 1}: give more, or a smaller --length"
            )
        work(run, stream, place / CHECKPOINT, progress)
    return run, counts


def _begin(opened: Opened, matrices: list[torch.Tensor]) -> Run:
    """Make the run that `work` goes on with."""
    model, request = opened.model.model, opened.request
    if request.checkpointing:
        if not model.supports_gradient_checkpointing:
            raise UsageError(f"{opened.model.name} has no way of --checkpointing: leave it out")
        with quiet():  # It is called otherwise in some versions, and says so.
            model.gradient_checkpointing_enable({"use_reentrant": False})
    run = Run(
        model,
        request.schedule,
        request.length or LENGTH,
        request.accumulate,
        opened.processes,
        lexical_penalty(matrices, request.lexical_weight, usual_dtype(opened.source)),
    )
    trained = sum(each.numel() for each in run.trained)
    size = sum(each.numel() for each in model.parameters())
    if opened.processes.is_main:
        # Weights, and for what is trained gradients and the two moments of AdamW.
        _log.info(
            f"training {trained:,} parameters: model and optimizer take about "
            f"{4 * (size + 3 * trained) / 1e9:,.2f} GB, besides activations"
        )
    return run


def _evaluate(
    folders: tuple[Path, Path],
    texts: Mapping[str, Corpus],
    seed: int,
    processes: Processes,
    progress: Progress,
) -> Evaluation:
    """Measure both models on the same bytes."""
    before, after = (load_model(each, processes) for each in folders)
    before.name, after.name = "before", "continued"
    plan = Plan.load(folders[0]) if (folders[0] / PLAN_FILE).is_file() else None
    known = range(len(after.tokenizer)) if plan is None else plan.known.tolist()
    documents = {name: each.documents() for name, each in texts.items()}
    found = evaluate(before, after, documents, known, seed=seed, progress=progress)
    # Without a plan all rows are known, so that this slice is all of the text once more.
    slices = [each for each in found.slices if plan is not None or each.name != KNOWN]
    return replace(found, slices=slices)
