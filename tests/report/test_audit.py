import json

import numpy as np

from tokkit.analysis.audit.undertrained_result import Undertrained
from tokkit.report.audit import draw_undertrained


def test_every_row_is_drawn_once(tmp_path):
    values = np.random.default_rng(0).normal(5, 1, 500)
    tested = np.arange(20, 500)
    least = tested[np.argsort(values[tested])[:10]].tolist()
    indicators, unused = {"input norm": values}, {"padding": range(20)}
    threshold = float(values[least[-1]])
    found = Undertrained(
        "model", None, (500, 8), True, indicators, unused, tested, threshold, tuple(least)
    )
    path = draw_undertrained(found, tmp_path / "figure.json")
    bars, rule = json.loads(path.read_text(encoding="utf-8"))["layer"]
    counted: dict[str, int] = {}
    for row in bars["data"]["values"]:
        counted[row["group"]] = counted.get(row["group"], 0) + row["rows"]
        if row["group"] == "candidates":
            assert row["from"] <= found.threshold
    assert counted == {
        "tokens that text gives": 470,
        "candidates": 10,
        "known to be unused": 20,
    }
    assert rule["data"]["values"] == [{"threshold": found.threshold}]
    assert draw_undertrained(found, tmp_path / "figure.svg").read_text().startswith("<svg")
