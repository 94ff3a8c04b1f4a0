"""Dynamic tokenization: a batch's own frequent pairs become tokens (arXiv 2411.18553)."""

from tokkit.dynamic.boundaries import BOUNDARIES, Boundary
from tokkit.dynamic.curve import Curve, draw_curve
from tokkit.dynamic.merging import Merge, Merged, merge_batch

__all__ = [
    "BOUNDARIES",
    "Boundary",
    "Curve",
    "Merge",
    "Merged",
    "draw_curve",
    "merge_batch",
]
