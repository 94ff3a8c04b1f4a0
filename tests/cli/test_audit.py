"""``tokkit audit``."""

import json

import pandas as pd

from tokkit.resources import resource


def test_an_audit_is_shown_and_written(invoke, trained, tmp_path):
    folder, corpus = tmp_path / "audited", tmp_path / "corpus.txt"
    text = "a document that is cut\n" * 20
    corpus.write_text(text, encoding="utf-8")
    result = invoke("audit", trained, "-o", folder, "--corpus", corpus)
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
    assert rows.loc[rows["status"] == "special", "text"].tolist() == ["<|end|>"]
    assert summary["in_texts"]["documents"] == 20
    ids = [json.loads(line) for line in invoke("encode", trained, corpus).stdout.splitlines()]
    assert rows["count"].sum() == summary["in_texts"]["tokens"] == sum(map(len, ids))
    assert [each["path"] for each in summary["inputs"]] == [str(corpus)]
    result = invoke("audit", trained, "--corpus", tmp_path / "nothing.txt")
    assert result.exit_code == 2
    assert "nothing.txt" in result.stderr


def test_json_is_one_document(invoke, trained):
    said = json.loads(invoke("audit", trained, "--json").stdout)
    assert said["kinds"]["never in UTF-8"] == 13
    assert said["special_from_text"] == {"<|end|>": 0}


def test_a_model_is_audited_by_its_embeddings(invoke, tmp_path):
    folder = resource("demo-model")
    figure = tmp_path / "trained.svg"
    result = invoke(
        "audit", folder, "--model", folder, "-o", tmp_path / "out", "--figure", figure
    )
    assert result.exit_code == 0, result.stderr
    assert "candidates by input norm" in result.stdout
    assert figure.read_text(encoding="utf-8").startswith("<svg")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    rows = pd.read_csv(tmp_path / "out" / "undertrained.csv", keep_default_na=False)
    assert summary["model"] == str(folder)
    candidates = summary["undertrained"]["candidates"]
    assert rows["candidate"].sum() == len(candidates)
    assert summary["undertrained"]["unused"] == {"unreachable": 13}
    checks = pd.read_csv(tmp_path / "out" / "faithfulness.csv")
    assert (checks["passed"] == checks["tried"])[checks["required"]].all()


def test_what_is_about_a_model_needs_one(invoke, trained, tmp_path):
    result = invoke("audit", trained, "--verify", "3")
    assert result.exit_code == 2
    assert "--model" in result.stderr
    result = invoke("audit", trained, "--model", tmp_path / "nothing")
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr
