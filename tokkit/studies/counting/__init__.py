"""Whether a model can count, sort and reverse letters that its tokenizer hides in tokens.

A `Plan` says what is asked of strings that `draw_samples` draws; `make_rows` has one row per
request, `requests_of` makes of them what `tokkit.studies.asking.ask` asks, `add_answers` puts
in what came, and `score` says what it is worth.
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.studies.counting.files import Recording as Recording
    from tokkit.studies.counting.files import score_files as score_files
    from tokkit.studies.counting.forms import FORMS as FORMS
    from tokkit.studies.counting.plan import ZHANG2024 as ZHANG2024
    from tokkit.studies.counting.plan import Plan as Plan
    from tokkit.studies.counting.row_files import read_rows as read_rows
    from tokkit.studies.counting.row_files import write_rows as write_rows
    from tokkit.studies.counting.rows import add_answers as add_answers
    from tokkit.studies.counting.rows import make_rows as make_rows
    from tokkit.studies.counting.rows import requests_of as requests_of
    from tokkit.studies.counting.samples import Sample as Sample
    from tokkit.studies.counting.samples import draw_samples as draw_samples
    from tokkit.studies.counting.samples import read_samples as read_samples
    from tokkit.studies.counting.scoring import CountingScores as CountingScores
    from tokkit.studies.counting.scoring import score as score

_HOMES = {
    "FORMS": "forms",
    "ZHANG2024": "plan",
    "CountingScores": "scoring",
    "Plan": "plan",
    "Recording": "files",
    "Sample": "samples",
    "add_answers": "rows",
    "draw_samples": "samples",
    "make_rows": "rows",
    "read_rows": "row_files",
    "read_samples": "samples",
    "requests_of": "rows",
    "score": "scoring",
    "score_files": "files",
    "write_rows": "row_files",
}

__all__ = [
    "FORMS",
    "ZHANG2024",
    "CountingScores",
    "Plan",
    "Recording",
    "Sample",
    "add_answers",
    "draw_samples",
    "make_rows",
    "read_rows",
    "read_samples",
    "requests_of",
    "score",
    "score_files",
    "write_rows",
]

__getattr__ = imports(__name__, _HOMES)
