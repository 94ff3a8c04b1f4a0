"""Matrices from files."""

import json

import numpy as np
import pytest

from tokkit.errors import UsageError
from tokkit.studies.markov.sources import read_source

ROWS = [[0.8, 0.2], [0.5, 0.5], [0.1, 0.9], [0.25, 0.75]]


@pytest.fixture(params=["csv", "json", "npy"])
def file(request, tmp_path):
    path = tmp_path / f"chain.{request.param}"
    if request.param == "csv":
        path.write_text("\n".join(",".join(map(str, row)) for row in ROWS) + "\n\n")
    elif request.param == "json":
        path.write_text(json.dumps(ROWS))
    else:
        np.save(path, np.array(ROWS, dtype=np.float32))
    return path


def test_a_matrix_is_read_from_every_format(file):
    source = read_source(file)
    assert source.order == 2
    np.testing.assert_allclose(source.matrix, ROWS, atol=1e-7)
    assert source.name == f"{file}, order 2, 2 symbols"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "0.5,0.5\n0.9,0.2\n", r"row 2 \(context '1'\).*sum to 1.1"),
        ("a.csv", "0.5,x\n", "line 1"),
        ("a.csv", "0.5,0.5\n1\n", "line 2 has 1 columns, the first one 2"),
        ("a.csv", "", "rows of numbers"),
        ("a.csv", "0.5,0.5\n" * 3, "3 rows of 2 columns have no order"),
        ("a.csv", "1\n1\n", "2 rows of 1 columns have no order|2 to 256"),
        ("a.json", "[[0.5, 0.5], [1]]", "no matrix of numbers"),
        ("a.json", '{"a": 1}', "no matrix of numbers"),
        ("a.json", "[0.5, 0.5]", "one row per context"),
        ("a.json", "[[0.5,", "no matrix of numbers"),
        ("a.npy", "nothing", "no matrix of numbers"),
        ("a.txt", "0.5,0.5", r"\.csv, \.json or \.npy"),
    ],
)
def test_what_is_no_matrix_is_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UsageError, match=message) as error:
        read_source(path)
    assert name in str(error.value)


def test_a_file_has_to_be_there(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.csv"):
        read_source(tmp_path / "gone.csv")
