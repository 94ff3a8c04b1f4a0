"""``tokkit dynamic``."""

import json

import numpy as np


def test_the_command_line(tmp_path, invoke, trained):
    path = tmp_path / "a.txt"
    path.write_text("the cat and the hat and the cat\n" * 3, encoding="utf-8")
    result = invoke("dynamic", "curve", trained, path, "-o", tmp_path / "curve")
    assert result.exit_code == 0, result.stderr
    assert "reduction" in result.stdout
    lengths = np.loadtxt(tmp_path / "curve" / "results.csv", delimiter=",", skiprows=1)[:, 1]
    assert (np.diff(lengths) < 0).all()
    rows = invoke("dynamic", "encode", trained, path, "--merges", 2, "--json")
    assert rows.exit_code == 0, rows.stderr
    documents = json.loads(rows.stdout)
    assert len(documents) == 3
    assert all(len(each["tokens"]) == len(each["parts"]) for each in documents)
