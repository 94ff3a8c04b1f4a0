"""Statistics: how sure a figure is, and whether two differ.

Proportions carry Wilson intervals, means over several answers to a problem are drawn anew by
problem, paired conditions are compared by McNemar's exact test with Holm's correction, measures
on text are drawn anew by document.
"""

from tokkit.stats.bootstrap import (
    Interval,
    clustered_mean,
    ratio_interval,
    resampled_sums,
    sample_interval,
)
from tokkit.stats.means import student_mean
from tokkit.stats.paired import CochranQ, McNemar, cochran_q, holm, mcnemar
from tokkit.stats.power import detectable_difference, needed_pairs, paired_power
from tokkit.stats.proportions import clopper_pearson, wilson

__all__ = [
    "CochranQ",
    "Interval",
    "McNemar",
    "clopper_pearson",
    "clustered_mean",
    "cochran_q",
    "detectable_difference",
    "holm",
    "mcnemar",
    "needed_pairs",
    "paired_power",
    "ratio_interval",
    "resampled_sums",
    "sample_interval",
    "student_mean",
    "wilson",
]
