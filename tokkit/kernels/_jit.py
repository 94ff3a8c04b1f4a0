"""The one place that decides how kernels are compiled."""

import logging
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np
from numba.core import event
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

Bytes = NDArray[np.uint8]
Ids = NDArray[np.int32]
Offsets = NDArray[np.int64]
Counts = NDArray[np.int64]

CACHE = os.environ.get("TOKKIT_NUMBA_CACHE", "1") == "1"

logger = logging.getLogger("tokkit")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` in nopython mode, releasing the GIL, cached on disk."""
    compiled: Callable[P, R] = numba.njit(cache=CACHE, nogil=True)(function)
    return compiled


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """View an array as read-only, so that kernels are compiled for one kind of array only."""
    view = array.view()
    view.flags.writeable = False
    return view


class _CompilationNote(event.Listener):
    """Says once, through logging, that kernels are being compiled."""

    def __init__(self) -> None:
        self.said = False

    def on_start(self, event: Any) -> None:
        """Log the note at the first compilation: nothing is compiled when the cache is warm."""
        if not self.said:
            self.said = True
            logger.info("compiling kernels, once after installation (at most half a minute)")

    def on_end(self, event: Any) -> None:
        """Do nothing."""


event.register("numba:compile", _CompilationNote())  # type: ignore[no-untyped-call]
