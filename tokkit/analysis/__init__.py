"""What a tokenizer does to a text, a language and a bill.

Each function measures, and returns an object whose tables are pandas frames (its attribute
``frames``; of an audit, its method ``frame``), which rich prints for people, and which says
everything as JSON (``as_json``).
`read_labelled` and `read_parallel` read texts; `tokkit.streaming.read_documents` is enough for
`compare`.
"""

from tokkit.analysis.analyze import Analysis, analyze
from tokkit.analysis.audit import Audit, audit
from tokkit.analysis.compare import Comparison, compare
from tokkit.analysis.cost import Cost, cost
from tokkit.analysis.labelled import Labelled, read_labelled
from tokkit.analysis.parallel import Parallel, read_parallel
from tokkit.analysis.parity import Parity, parity
from tokkit.analysis.view import View, view

__all__ = [
    "Analysis",
    "Audit",
    "Comparison",
    "Cost",
    "Labelled",
    "Parallel",
    "Parity",
    "View",
    "analyze",
    "audit",
    "compare",
    "cost",
    "parity",
    "read_labelled",
    "read_parallel",
    "view",
]
