"""``tokkit audit``."""

import json

import pandas as pd


def test_an_audit_is_shown_and_written(invoke, trained, tmp_path):
    folder = tmp_path / "audited"
    result = invoke("audit", trained, "-o", folder)
    assert result.exit_code == 0, result.stderr
    assert "which tokens some text gives" in result.stdout
    assert "finding: plain text can give 1 special tokens (<|end|>)" in result.stdout
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = pd.read_csv(folder / "results.csv", keep_default_na=False)
    assert summary["study"] == "audit"
    assert len(rows) == summary["size"] == 330
    counts = rows["status"].value_counts()
    assert counts["reachable"] == summary["reachable"]
    assert counts.get("unknown", 0) == summary["unknown"]
    assert counts["special"] == 1
    assert rows.loc[rows["hex"] == "c0", "cause"].tolist() == ["not UTF-8"]


def test_json_is_one_document(invoke, trained):
    said = json.loads(invoke("audit", trained, "--json").stdout)
    assert said["kinds"]["never in UTF-8"] == 13
    assert said["special_from_text"] == {"<|end|>": 0}
