import json
import sys

import pandas as pd
import pytest

from tokkit.errors import MissingExtraError, UsageError
from tokkit.report.charts import altair, write_chart


@pytest.fixture
def chart():
    frame = pd.DataFrame({"shots": [1, 2, 4], "accuracy": [0.5, 0.7, 0.9]})
    return altair().Chart(frame, title="Accuracy").mark_line().encode(x="shots", y="accuracy")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG\r\n\x1a\n"), ("b.svg", b"<svg"), ("deeper/c.PNG", b"\x89PNG")],
)
def test_a_chart_is_a_file_of_the_kind_its_name_says(chart, tmp_path, name, begins):
    path = write_chart(chart, tmp_path / name)
    assert path.read_bytes().startswith(begins)
    assert list(path.parent.iterdir()) == [path]


def test_the_same_chart_is_the_same_file(chart, tmp_path):
    first, second = (write_chart(chart, tmp_path / name) for name in ("1.svg", "2.svg"))
    assert first.read_bytes() == second.read_bytes()


def test_a_chart_may_configure_itself(chart, tmp_path):
    own = chart.configure_axis(labelFontSize=20)
    written = json.loads(write_chart(own, tmp_path / "a.json").read_bytes())
    assert written["config"]["axis"] == {"labelFontSize": 20}
    assert written["config"]["background"] == "white"
    assert next(iter(written["datasets"].values()))[0] == {"shots": 1, "accuracy": 0.5}


def test_other_names_are_refused_and_nothing_is_written(chart, tmp_path):
    with pytest.raises(UsageError, match=r"a figure ends in one of \.png"):
        write_chart(chart, tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(chart, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match=r"tokkit-toolkit\[plots\]"):
        write_chart(chart, tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(MissingExtraError, match="altair"):
        altair()
