"""What tokenization does to the learning of Markov sources (arXiv 2404.08335).

`study` measures, as a `Plan` says, what models of tokens lose on text of a `Source`;
`run_study` writes it to a folder as well, and goes on there after a kill.
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.studies.markov.dictionaries import Dictionaries as Dictionaries
    from tokkit.studies.markov.folder import run_study as run_study
    from tokkit.studies.markov.measuring import study as study
    from tokkit.studies.markov.plan import Plan as Plan
    from tokkit.studies.markov.plan import Transformer as Transformer
    from tokkit.studies.markov.result import Result as Result
    from tokkit.studies.markov.source import Source as Source
    from tokkit.studies.markov.sources import random_source as random_source
    from tokkit.studies.markov.sources import read_source as read_source
    from tokkit.studies.markov.sources import switching as switching

_HOMES = {
    "Dictionaries": "dictionaries",
    "Plan": "plan",
    "Result": "result",
    "Source": "source",
    "Transformer": "plan",
    "random_source": "sources",
    "read_source": "sources",
    "run_study": "folder",
    "study": "measuring",
    "switching": "sources",
}

__all__ = [
    "Dictionaries",
    "Plan",
    "Result",
    "Source",
    "Transformer",
    "random_source",
    "read_source",
    "run_study",
    "study",
    "switching",
]

__getattr__ = imports(__name__, _HOMES)
