"""Statistics: how sure a figure is, and whether two differ.

Proportions carry Wilson intervals, means over several answers to a problem are drawn anew by
problem, paired conditions are compared by McNemar's exact test with Holm's correction, measures
on text are drawn anew by document.
"""

from tokkit.stats.bootstrap import Interval, ratio_interval

__all__ = ["Interval", "ratio_interval"]
