"""Figures of the study of Markov sources."""

import json

import pytest

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

from tokkit.report import write_chart
from tokkit.report.markov import draw_markov, write_figures
from tokkit.studies.markov.measuring import study
from tokkit.studies.markov.plan import Plan
from tokkit.studies.markov.result import CurvePoint, Result
from tokkit.studies.markov.sources import switching


@pytest.fixture(scope="module")
def counted():
    return study(
        switching(2, 0.8, 0.8), Plan(sizes=(4, 512), training=20_000, held_out=4000, seeds=2)
    )


@pytest.fixture(scope="module")
def trained(counted):
    points = [
        CurvePoint(name, 20, seed, step, 1000 * step, 0.6 - step / 1000)
        for name in ("characters", "bpe")
        for seed in (0, 1)
        for step in (0, 25, 50)
    ]
    return Result(counted.source, counted.plan, counted.losses, points, counted.own)


def specification(chart, path):
    return json.loads(write_chart(chart, path).read_text())


def test_a_chart_without_transformers_has_the_losses(counted, tmp_path):
    found = specification(draw_markov(counted), tmp_path / "f.json")
    assert [panel["title"]["text"] for panel in found["hconcat"]] == [
        "single tokens",
        "2-grams of tokens",
    ]
    assert "switching, order 2" in found["title"]["subtitle"]
    assert "theory" in found["title"]["subtitle"]
    assert any(len(rows) == 12 for rows in found["datasets"].values())


def test_curves_are_by_steps_and_by_characters(trained, tmp_path):
    found = specification(draw_markov(trained), tmp_path / "f.json")
    _, curves = found["vconcat"]
    fields = [panel["layer"][0]["encoding"]["x"]["field"] for panel in curves["hconcat"]]
    assert fields == ["step", "millions"]


def test_figures_are_written_as_pictures(counted, trained, tmp_path):
    assert [path.name for path in write_figures(counted, tmp_path)] == ["losses.png"]
    paths = write_figures(trained, tmp_path)
    assert [path.name for path in paths] == ["losses.png", "curves.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
