"""Processes that train one model together, each on a share of a batch.

A launcher starts them: ``accelerate launch --multi_gpu --num_processes 8 -m tokkit_cli ...`` on
GPUs, ``torchrun --nproc-per-node 2 -m tokkit_cli ...`` on processors too, for which accelerate
itself wants MPI. A command that is started as usual is the only process and needs neither.
"""

import atexit
import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from tokkit.errors import JobError, MissingExtraError, UsageError
from tokkit.lm.device import find_device


@dataclass(frozen=True)
class Processes:
    """One of the processes that share a batch, and what it can ask of the others.

    All of them have to ask for the same things in the same order.

    Attributes:
        device: Where this one computes.
        rank: Which one it is, from 0.
        count: How many there are.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the one that writes files and speaks to the user."""
        return self.rank == 0

    def average(self, parameters: Iterable[torch.Tensor]) -> None:
        """Replace the gradient of each parameter by its mean over all processes.

        A parameter without a gradient is left out; it has to be without one everywhere.
        """
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def sum(self, value: float) -> float:
        """Return the sum of what all processes give."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(total)
        return float(total)

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.sum(0.0)  # Unlike a barrier of torch, this never has to guess a device.


ALONE = Processes()
"""The only process, on the processor."""


def open_processes(
    device: str = "auto", environment: Mapping[str, str] = os.environ
) -> Processes:
    """Meet the processes that were started together, or be the only one.

    Args:
        device: Where a process that is the only one computes; see `tokkit.lm.device`. Of
            several, each has a GPU of its own where there are some, unless this is ``"cpu"``.
        environment: What the launcher has set; there are several if ``WORLD_SIZE`` is not 1.

    Raises:
        UsageError: If there is no such device, or one is named for several processes.
        MissingExtraError: If there are several processes and accelerate is not installed.
        JobError: If the others cannot be found.
    """
    count = int(environment.get("WORLD_SIZE", "1"))
    if count <= 1:
        return Processes(find_device(device))
    if device not in ("auto", "cpu"):
        raise UsageError(
            f"each of several processes has a device of its own: give auto or cpu, not {device}"
        )
    told = environment.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true")
    state = _connect(cpu=told or device == "cpu" or not torch.cuda.is_available())
    if state.num_processes != count:
        raise JobError(
            f"{count} processes were started, but accelerate connects {state.num_processes} of "
            "them: start them with `accelerate launch --multi_gpu` or torchrun"
        )
    atexit.register(state.destroy_process_group)
    return Processes(state.device, state.process_index, count)


def _connect(*, cpu: bool) -> Any:
    """Let accelerate connect the processes, and return what it knows of them."""
    try:
        from accelerate import PartialState
    except ModuleNotFoundError as missing:
        raise MissingExtraError("accelerate", "devices") from missing
    # Functions of this module take the group that exists as a default. Imported later, as by
    # making an optimizer, it would keep the group alive while Python ends, and with it threads
    # that may still have to drop a tensor: they then abort a process whose work is done.
    importlib.import_module("torch.distributed.nn.functional")
    return PartialState(cpu=cpu)
