import json

import pytest

from tests.studies.numbers.scoring.builders import problems, study
from tokkit.errors import UsageError
from tokkit.report.numbers import draw_accuracy, draw_errors
from tokkit.studies.numbers.scoring import score


@pytest.fixture(scope="module")
def frame():
    kinds = {
        "comma_r2l": lambda problem: problem.truth,
        "nosep": lambda problem: problem.truth // 10 * 10 + (problem.truth + 1) % 10,
    }
    return study(kinds, problems(20), num_shots=2)


def values(specification):
    """All data of a chart, whichever way they are kept."""
    if isinstance(specification, dict):
        for name, own in specification.items():
            if name == "values" and isinstance(own, list) and own and isinstance(own[0], dict):
                yield from own
            else:
                yield from values(own)
    elif isinstance(specification, list):
        for own in specification:
            yield from values(own)


def test_accuracy_is_drawn_as_it_is_in_the_cells(frame, tmp_path):
    scores = score(frame)
    drawn = json.loads(draw_accuracy(scores, tmp_path / "a.json").read_text())
    points = {point["format"]: point for point in values(drawn)}
    assert set(points) == {"comma_r2l", "nosep"}
    for cell in scores.as_json()["cells"]:
        point = points[cell["problem_format"]]
        assert (point["shots"], point["k"]) == ("2", cell["k"])
        assert (point["low"], point["high"]) == (cell["accuracy_low"], cell["accuracy_high"])


def test_the_wrong_digit_is_the_one_that_is_drawn(frame, tmp_path):
    drawn = json.loads(draw_errors(score(frame), tmp_path / "a.json").read_text())
    right = drawn["vconcat"][0]["hconcat"][1]
    rates = {(each["format"], each["digit"]): each["rate"] for each in values(right)}
    assert rates[("nosep", 1)] == 1
    assert max(rate for place, rate in rates.items() if place != ("nosep", 1)) == 0


def test_answers_longer_than_their_operands_are_drawn_apart(frame, tmp_path):
    scores = score(frame)
    drawn = json.loads(draw_errors(scores, tmp_path / "a.json").read_text())
    wrong = scores.rows[scores.rows["answer_number_format"] == "nosep"]
    for panel, is_match in zip(drawn["vconcat"][1]["hconcat"], (True, False), strict=True):
        lengths = wrong[wrong["len_match"] == is_match]["len_true_ans"]
        units = [each for each in values(panel) if each["k"] > 0]
        assert {each["format"] for each in units} == {"nosep"}
        assert sum(each["k"] for each in units) == len(lengths)
        assert {each["digit"] for each in units} == set(lengths)


def test_nothing_is_drawn_of_prompts_in_another_format(frame, tmp_path):
    wrong = score(frame.assign(problem_msg="1+1="))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_accuracy(wrong, tmp_path / "a.png")
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_errors(wrong, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
