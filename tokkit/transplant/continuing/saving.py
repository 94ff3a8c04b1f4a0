"""The folder of a model that was trained on: its weights anew, all else as it was."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tokkit.lm.hf_load import quiet
from tokkit.transplant.account import ACCOUNT as TRANSPLANT
from tokkit.transplant.account import CARD
from tokkit.transplant.metadata import CONFIG, GENERATION, KEPT
from tokkit.transplant.plan import PLAN_FILE
from tokkit.transplant.settings.tokenizer_files import is_tokenizer_file
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.output import check_space, told

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
}
_CARRIED = (CONFIG, GENERATION, PLAN_FILE, TRANSPLANT, CARD)


def save_model(model: Any, source: Checkpoint, folder: Path) -> None:
    """Write a torch model as a folder.

    Every weight gets the dtype again that it has in the source; the model has it afterwards.

    Args:
        model: What `AutoModelForCausalLM` gave, its weights trained.
        source: Where it was loaded from; settings, tokenizer and plan are carried over.
        folder: What to write.

    Raises:
        JobError: If there is no room, or it cannot be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    check_space(folder, source.size())
    usual = usual_dtype(source)
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.to(_stored_dtype(source, model, name) or usual)
    with told(folder), quiet():
        model.save_pretrained(folder)
        for path in _carried(source.folder):
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, folder / path.name)


def usual_dtype(source: Checkpoint) -> torch.dtype:
    """Return the dtype that most numbers of a model are stored as."""
    sizes: Counter[str] = Counter()
    for each in source.tensors.values():
        sizes[each.dtype] += each.size if each.dtype in _DTYPES else 0
    return _DTYPES.get(sizes.most_common(1)[0][0], torch.float32)


def _stored_dtype(source: Checkpoint, model: Any, name: str) -> torch.dtype | None:
    """Return what a weight is stored as; None if the file calls it by a name of its own."""
    prefix = f"{model.base_model_prefix}."
    for other in (name, name.removeprefix(prefix), prefix + name):
        if other in source.tensors:
            return _DTYPES.get(source.tensors[other].dtype)
    return None


def _carried(folder: Path) -> Iterator[Path]:
    """Give what belongs to a model besides its weights."""
    kept = {path for pattern in KEPT for path in folder.glob(pattern)}
    for path in sorted(folder.iterdir()):
        if path in kept or path.name in _CARRIED or is_tokenizer_file(path.name):
            yield path
