"""Numbers as checkpoints hold them, and as they are computed with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
"""Numbers as a checkpoint holds them: bfloat16 as its bits, ``uint16``."""


def encode(values: NDArray[np.float64], dtype: str) -> Values:
    """Round to the nearest number of a dtype, ties to even; bfloat16 as its bits."""
    if dtype == "F64":
        return values
    single = values.astype(np.float32)
    if dtype == "F32":
        return single
    if dtype == "F16":
        return single.astype(np.float16)
    bits = single.view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
    words: NDArray[np.uint16] = rounded.astype(np.uint16)
    lost = ~np.isfinite(single)  # rounding would carry the bits of NaN into those of a number
    words[lost] = (bits[lost] >> 16).astype(np.uint16)
    return words


def decode(values: Values) -> NDArray[Any]:
    """Return numbers as ``float32`` (``float64`` stays): the inverse of `encode`."""
    if values.dtype == np.uint16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values if values.dtype == np.float64 else values.astype(np.float32)


def dtype_of(values: Values) -> str:
    """The name safetensors has for the numbers of an array."""
    names = {"uint16": "BF16", "float16": "F16", "float32": "F32", "float64": "F64"}
    return names[values.dtype.name]
