import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from tokkit.errors import UsageError
from tokkit.results import (
    SUMMARY,
    Provenance,
    begin_folder,
    refuse_other,
    write_json,
    write_study,
    write_table,
)

FRAME = pd.DataFrame({"key": ["a", "b"], "response": ["1,234\n", None], "n": [1, 2]})


def test_study_is_written_the_same_again(tmp_path):
    corpus = tmp_path / "rows.csv"
    corpus.write_bytes(b"abc")
    provenance = Provenance(
        study="numbers", command=["tokkit", "numbers"], seeds={"sim": 3}, inputs=[corpus]
    )
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        begin_folder(folder)
        path = write_study(folder, FRAME, provenance, {"rate": math.nan, "k": (1, 2)})
        assert path == folder / "results.csv"
        written.append({each.name: each.read_bytes() for each in folder.iterdir()})
    assert written[0] == written[1]
    summary = json.loads(written[0][SUMMARY])
    assert summary["schema"] == 1
    assert summary["rows"] == 2
    assert summary["rate"] is None
    # The digest of "abc" is an example of FIPS 180-2.
    assert summary["inputs"][0]["sha256"].startswith("ba7816bf8f01cfea414140de5dae2223")


@pytest.mark.parametrize("table", ["csv", "jsonl", "parquet"])
def test_rows_come_back(tmp_path, table):
    readers = {
        "csv": pd.read_csv,
        "jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
        "parquet": pd.read_parquet,
    }
    write_study(tmp_path, FRAME, Provenance(study="x"), table="csv")
    path = write_study(tmp_path, FRAME, Provenance(study="x"), table=table)
    assert [each.name for each in tmp_path.glob("results.*")] == [path.name]
    found = readers[table](path)
    assert found["response"].isna().tolist() == [False, True]
    assert found["response"][0] == "1,234\n"
    assert found["n"].tolist() == [1, 2]


def test_secrets_of_addresses_are_left_out():
    command = ["--backend", "openai:http://me:hush@host/v1?api_key=hush&x=1", "a@b"]
    told = Provenance(study="x", command=command).as_json()["command"]
    assert told == ["--backend", "openai:http://…@host/v1?api_key=…&x=1", "a@b"]


def test_folders_are_not_lost(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        begin_folder(tmp_path / "file")
    with pytest.raises(UsageError, match="exists"):
        begin_folder(tmp_path)
    with pytest.raises(UsageError, match="not what this command writes"):
        begin_folder(tmp_path, force=True)
    begin_folder(tmp_path, resume=True)
    write_json(tmp_path / SUMMARY, {})
    begin_folder(tmp_path, force=True)


def test_only_the_same_study_is_gone_on_with(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("a")
    own = Provenance(study="numbers", model="m", inputs=[rows], command=["once"])
    refuse_other(tmp_path, own)
    write_study(tmp_path, FRAME, own)
    refuse_other(tmp_path, replace(own, command=["again"]))
    for other in (replace(own, study="x"), replace(own, model="n"), replace(own, inputs=[])):
        with pytest.raises(UsageError, match="results of another"):
            refuse_other(tmp_path, other)
    rows.write_text("b")
    with pytest.raises(UsageError, match="another input"):
        refuse_other(tmp_path, own)
    write_json(tmp_path / SUMMARY, {})
    with pytest.raises(UsageError, match="another study"):
        refuse_other(tmp_path, own)


def test_half_a_table_is_never_there(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("old")

    class Broken:
        def to_csv(self, partial, **_):
            partial.write_text("half")
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_table(Broken(), path)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]
    with pytest.raises(UsageError, match="csv"):
        write_table(FRAME, tmp_path / "results.xls")
