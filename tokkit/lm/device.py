"""Where models compute, and with how many threads."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tokkit.errors import UsageError


def find_device(name: str) -> torch.device:
    """Return the device of a name.

    Args:
        name: Such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where there is some.

    Raises:
        UsageError: If there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"{name!r} is no device of this computer: give auto, cpu or one that is there"
        ) from error
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Let every thread that begins now compute alone, so that sums are always the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_memory(device: torch.device) -> int:
    """Return the most bytes this process has held, on a GPU the most there."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)
