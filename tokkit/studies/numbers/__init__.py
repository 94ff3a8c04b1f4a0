"""How tokenizers cut numbers, and what that does to a model's arithmetic.

Tokenizers are looked at by `audit_numbers` and changed by `rewrite_numbers`. Problems are drawn
by `generate`, or are those of a published study (`generate_published`); `requests_of` makes of
their rows what `tokkit.studies.asking.ask` asks, `add_answers` puts in what came, and `score`
says what it is worth.
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.studies.numbers.audit import audit_numbers as audit_numbers
    from tokkit.studies.numbers.audit_result import NumberAudit as NumberAudit
    from tokkit.studies.numbers.formats import NumberFormat as NumberFormat
    from tokkit.studies.numbers.formats import parse_format as parse_format
    from tokkit.studies.numbers.generating import Design as Design
    from tokkit.studies.numbers.generating import generate as generate
    from tokkit.studies.numbers.problems import Problem as Problem
    from tokkit.studies.numbers.rewrite import rewrite_numbers as rewrite_numbers
    from tokkit.studies.numbers.rewrite_result import Rewritten as Rewritten
    from tokkit.studies.numbers.rows import add_answers as add_answers
    from tokkit.studies.numbers.rows import read_rows as read_rows
    from tokkit.studies.numbers.rows import requests_of as requests_of
    from tokkit.studies.numbers.rows import write_rows as write_rows
    from tokkit.studies.numbers.sampling import Drawing as Drawing
    from tokkit.studies.numbers.sampling import Lengths as Lengths
    from tokkit.studies.numbers.scoring import Scores as Scores
    from tokkit.studies.numbers.scoring import score as score
    from tokkit.studies.numbers.scoring import score_files as score_files
    from tokkit.studies.numbers.singh2024 import generate_published as generate_published

_HOMES = {
    "Design": "generating",
    "Drawing": "sampling",
    "Lengths": "sampling",
    "NumberAudit": "audit_result",
    "NumberFormat": "formats",
    "Problem": "problems",
    "Rewritten": "rewrite_result",
    "Scores": "scoring",
    "add_answers": "rows",
    "audit_numbers": "audit",
    "generate": "generating",
    "generate_published": "singh2024",
    "parse_format": "formats",
    "read_rows": "rows",
    "requests_of": "rows",
    "rewrite_numbers": "rewrite",
    "score": "scoring",
    "score_files": "scoring",
    "write_rows": "rows",
}

__all__ = [
    "Design",
    "Drawing",
    "Lengths",
    "NumberAudit",
    "NumberFormat",
    "Problem",
    "Rewritten",
    "Scores",
    "add_answers",
    "audit_numbers",
    "generate",
    "generate_published",
    "parse_format",
    "read_rows",
    "requests_of",
    "rewrite_numbers",
    "score",
    "score_files",
    "write_rows",
]

__getattr__ = imports(__name__, _HOMES)
