"""Figures of counting studies."""

from io import StringIO

import pytest
from rich.console import Console

from tests.studies.counting.studies import simulate
from tokkit.report.charts import write_chart
from tokkit.report.counting import draw_accuracy, draw_counting, draw_errors, draw_truths
from tokkit.studies.counting.plan import Plan


@pytest.fixture(scope="module")
def scores():
    return simulate("undercounter:0.5", Plan(number=30))


def test_accuracies_are_drawn_with_their_intervals(scores):
    chart = draw_accuracy(scores).to_dict()
    (data,) = chart["datasets"].values()
    drawn = {(each["condition"], each["input_format"]): each["accuracy"] for each in data}
    cells = scores.cells.to_dict("records")
    assert drawn == {(cell["target"], cell["input_format"]): cell["accuracy"] for cell in cells}
    assert all(
        each["accuracy_low"] <= each["accuracy"] <= each["accuracy_high"] for each in data
    )


def test_wrong_numbers_are_drawn_by_how_far_they_are_off(scores):
    chart = draw_errors(scores).to_dict()
    (data,) = chart["datasets"].values()
    wrong = scores.cells["n"].sum() - scores.cells["k"].sum()
    assert sum(each["answers"] for each in data) == wrong
    assert {each["side"] for each in data if each["difference"] < 0} == {"too few"}


def test_accuracy_is_drawn_by_the_true_number(scores):
    chart = draw_truths(scores).to_dict()
    (data,) = chart["datasets"].values()
    assert sum(each["n"] for each in data) == scores.cells["n"].sum()


@pytest.mark.parametrize(
    "plan", [Plan(number=10, targets=("a",)), Plan(number=10, tasks=("sort",), forms=("raw",))]
)
def test_everything_together_can_be_drawn(plan, tmp_path):
    path = write_chart(draw_counting(simulate("off-by-one:0.5", plan)), tmp_path / "all.svg")
    assert path.read_bytes().startswith(b"<svg")


def test_no_error_at_all_can_be_drawn(tmp_path):
    scores = simulate("perfect", Plan(number=5, targets=("a",)))
    assert write_chart(draw_counting(scores), tmp_path / "all.svg").is_file()


def test_tasks_without_a_target_are_named_by_the_task_alone():
    plan = Plan(
        tasks=("count", "sort"), targets=("a",), forms=("raw", "list", "space"), number=5
    )
    scores = simulate("undercounter:0.5", plan)
    names = {
        row["condition"]
        for data in draw_counting(scores).to_dict()["datasets"].values()
        for row in data
    }
    assert {"count, a", "sort"} <= names
    console = Console(width=80, file=StringIO())
    console.print(scores)
    assert "\nsort: Cochran's Q" in console.file.getvalue()
