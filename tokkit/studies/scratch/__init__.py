"""The same small decoder trained from nothing under several tokenizations.

`run_study` does and writes what a `Plan` says; `PLANS` has one for each task.
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.studies.scratch.groups import Grouping as Grouping
    from tokkit.studies.scratch.plan import PLANS as PLANS
    from tokkit.studies.scratch.plan import Plan as Plan
    from tokkit.studies.scratch.results import Study as Study
    from tokkit.studies.scratch.study import run_study as run_study

_HOMES = {
    "PLANS": "plan",
    "Grouping": "groups",
    "Plan": "plan",
    "Study": "results",
    "run_study": "study",
}

__all__ = [
    "PLANS",
    "Grouping",
    "Plan",
    "Study",
    "run_study",
]

__getattr__ = imports(__name__, _HOMES)
