"""Scores of answers whose errors are known."""

import json

import numpy as np
import pandas
import pytest

from tests.studies.numbers.scoring.builders import problems, row, study
from tokkit.errors import CorpusError, UsageError
from tokkit.results import Provenance
from tokkit.studies.asking.backends.sim import SimulatedBackend
from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.rows import frame_of, requests_of
from tokkit.studies.numbers.scoring import score, score_files
from tokkit.studies.numbers.scoring.cells import count_cells, label_prompts
from tokkit.studies.numbers.scoring.comparing import compare
from tokkit.studies.numbers.scoring.files import write_scores
from tokkit.studies.numbers.scoring.scores import read_rows_of

FORMATS = ("nosep", "comma_r2l", "comma_l2r")


def simulated(spec, asked, formats=FORMATS, seed=0):
    """What a simulated model answers."""
    frame = study(dict.fromkeys(formats, lambda problem: problem.truth), asked)
    answers = SimulatedBackend.parse(spec, seed=seed).answer(requests_of(frame))
    return frame.assign(response=[answer.text for answer in answers])


def test_a_perfect_model():
    scores = score(simulated("perfect", problems(30)))
    assert (scores.cells["accuracy"] == 1).all()
    assert (scores.cells["correct_and_format"] == 30).all()
    assert not len(scores.flags)
    assert (scores.comparisons["p_holm"] == 1).all()
    assert set(scores.comparisons["stars"]) == {""}
    assert (scores.overall["p_value"] == 1).all()


def test_injected_off_by_one_errors_are_found_as_such():
    scores = score(simulated("off-by-one:0.4", problems(100)))
    wrong = scores.rows[~scores.rows["answer_match"]]
    assert 25 < len(wrong) / 3 < 55
    assert set(wrong["error_kind"]) == {"off_by_one"}
    assert wrong["only_off_by_one"].all()
    kinds = scores.errors[scores.errors["k"] > 0]
    assert (kinds[kinds["exclusive"]]["share"] == 1).all()


def test_injected_left_aligned_errors_are_found_as_such():
    scores = score(simulated("left-aligned:0.5", problems(100)))
    wrong = scores.rows[~scores.rows["answer_match"]]
    assert 35 < len(wrong) / 3 < 65
    assert wrong["second_group_error"].all()
    assert (wrong["only_wrong_digit_num"] == 4).all()
    assert set(wrong["error_kind"]) == {"one_digit", "off_by_one"}
    left = scores.digits[scores.digits["counted_from"] == "left"]
    assert set(left[left["k"] > 0]["digit"]) == {4}


def test_errors_of_longer_answers_are_told_from_others():
    """As in arXiv 2402.14903: the fourth digit, of answers longer than both operands."""

    def answer(problem):
        longest = max(len(str(each)) for each in problem[:2])
        digits = str(problem.truth)
        if len(digits) == longest:
            return problem.truth
        return int(f"{digits[:3]}{(int(digits[3]) + 1) % 10}{digits[4:]}")

    scores = score(study({"nosep": answer}, problems(60)))
    left = scores.digits_by_length.query("counted_from == 'left'")
    rates = left.set_index(["len_match", "digit"])["rate"]
    assert rates[False, 4] == 1
    assert rates.drop((False, 4)).max() == 0
    counts = left.groupby("len_match")["n"].max()
    assert counts[True] + counts[False] == 60
    assert 0 < counts[False] < 60


def test_operands_put_under_each_other_from_the_left_are_found_as_such():
    asked = [each for each in problems(60) if len(str(each.num1)) != len(str(each.num2))]

    def answer(problem):
        width = max(len(str(problem.num1)), len(str(problem.num2)))
        return sum(int(str(each).ljust(width, "0")) for each in problem[:2])

    rows = score(study({"nosep": answer}, asked)).rows
    assert rows["left_alignment_error"].all()
    assert set(rows["error_kind"]) == {"left_aligned"}


def test_intervals_hold_the_injected_rate():
    asked, rate = problems(60), 0.3
    frames = [
        simulated(f"off-by-one:{rate}", asked, ["nosep"], seed).assign(model=f"seed {seed}")
        for seed in range(100)
    ]
    cells = count_cells(read_rows_of(pandas.concat(frames, ignore_index=True)))
    held = (cells["accuracy_low"] <= 1 - rate) & (1 - rate <= cells["accuracy_high"])
    assert len(cells) == 100
    assert held.sum() >= 90


def test_formats_that_do_not_differ_have_no_stars():
    asked, random = problems(50), np.random.default_rng(0)

    def answer(problem):
        return problem.truth + int(random.random() < 0.3)

    frames = [
        study(dict.fromkeys(FORMATS, answer), asked, model=f"number {number}")
        for number in range(20)
    ]
    pairs, overall = compare(read_rows_of(pandas.concat(frames, ignore_index=True)))
    assert len(pairs) == 60
    assert set(pairs["stars"]) == {""}
    assert (pairs["p_value"] < 0.05).sum() <= 6
    assert (overall["p_value"] < 0.05).sum() <= 3


def test_a_format_that_is_worse_has_stars():
    asked = problems(60)
    answers = {
        "nosep": lambda problem: problem.truth + problem.num1 % 2,
        "comma_r2l": lambda problem: problem.truth,
    }
    scores = score(study(answers, asked))
    odd = sum(problem.num1 % 2 for problem in asked)
    pair = scores.comparisons.iloc[0]
    assert (pair["first"], pair["second"]) == ("nosep", "comma_r2l")
    assert (pair["n"], pair["only_first"], pair["only_second"]) == (60, 0, odd)
    assert pair["p_value"] == pytest.approx(2 / 2**odd)
    assert pair["difference"] == pytest.approx(-odd / 60)
    assert pair["difference_low"] < -odd / 60 < pair["difference_high"] < 0
    assert pair["stars"] == "***"
    assert not len(scores.overall)


def test_several_answers_to_a_problem_are_one_problem():
    asked = problems(20)
    frame = frame_of(
        row(each, each.truth + (repeat == 0), problem_index=index, response_repeat=repeat)
        for repeat in range(3)
        for index, each in enumerate(asked)
    )
    cell = score(frame).cells.iloc[0]
    assert (cell["n"], cell["problems"], cell["k"]) == (60, 20, 40)
    assert cell["interval"] == "bootstrap by problem"
    assert cell["accuracy_low"] == cell["accuracy_high"] == pytest.approx(2 / 3)


def test_numbers_of_any_size_stay_exact():
    big = Problem(10**40 + 7, 10**39 + 1)
    frame = frame_of([row(big, big.truth), row(big, "no idea"), row(big, big.truth + 10**20)])
    scores = score(frame)
    assert scores.rows["answer"].tolist() == [big.truth, None, big.truth + 10**20]
    assert scores.rows["abs_error_mag"].tolist() == [0, None, 10**20]
    assert scores.rows["only_off_by_one_digit_num"].tolist() == [-1, None, 21]
    assert (scores.cells["k"][0], scores.cells["valid"][0]) == (1, 2)
    assert scores.cells["accuracy"][0] == pytest.approx(1 / 3)
    assert scores.cells["accuracy_valid"][0] == pytest.approx(1 / 2)


@pytest.mark.parametrize(("operation", "sign"), [("-", -1), ("*", 1)])
def test_differences_and_products(operation, sign):
    problem = Problem(12, 345, operation)
    truth = problem.truth
    frame = frame_of(
        [row(problem, truth, "comma_r2l"), row(problem, sign * truth, "comma_r2l")]
    )
    scores = score(frame)
    assert scores.rows["answer_match"].tolist() == [True, sign == 1]
    assert scores.rows["error_kind"].tolist() == [None, "sign" if sign < 0 else None]
    assert scores.rows["num_carries"].tolist() == [0 if operation == "-" else None] * 2


def test_a_subtraction_that_is_said_again():
    problem = Problem(5000, 8000, "-")
    columns = {"repeat_problem_number_format": "comma_r2l"}
    rows = score(frame_of([row(problem, "5,000-8,000=-3000", **columns)])).rows
    assert rows["repeat_copy_match"].tolist() == [True]
    assert rows["formatted_answer_match"].tolist() == [True]


def test_rows_without_an_answer_count_nowhere():
    asked = problems(4)
    rows = [row(each, each.truth) for each in asked]
    rows[0]["response"] = None
    scores = score(frame_of(rows))
    assert (scores.cells["n"][0], scores.cells["unanswered"][0]) == (3, 1)
    assert scores.flags["check"].tolist() == ["no_answer"]
    with pytest.raises(CorpusError, match="tokkit numbers run"):
        score(frame_of([{**each, "response": None} for each in rows]))


def test_log_probabilities():
    logprobs = [
        {
            "token": "3",
            "logprob": np.log(0.5),
            "top_5_logprobs": [
                {"token": "3", "logprob": np.log(0.5)},
                {"token": "4", "logprob": np.log(0.25)},
            ],
        },
        {"token": "0", "logprob": np.log(0.125), "top_5_logprobs": []},
    ]
    frame = frame_of([row(Problem(10, 20), 30, logprobs_json=json.dumps(logprobs))])
    cell = score(frame).cells.iloc[0]
    assert cell["answer_logprob"] == pytest.approx(np.log(1 / 16))
    assert cell["mean_logprob"] == pytest.approx(np.log(1 / 16) / 2)
    entropy = -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))
    assert cell["top5_entropy"] == pytest.approx(entropy)


@pytest.mark.parametrize("column", ["logprobs_json", "messages"])
@pytest.mark.parametrize("content", ["{", "[3]", '[["user"]]', "3", '[{"token": "a"}]'])
def test_damaged_columns_are_named(column, content):
    frame = frame_of([row(Problem(1, 2), 3, **{column: content})])
    with pytest.raises(CorpusError, match=rf"row 'nosep:1\+2': {column}"):
        score(frame)


def test_pooling_and_comparing_by_what_is_not_there_is_refused():
    frame = simulated("perfect", problems(3))
    with pytest.raises(UsageError, match="cannot pool over 'spaces'"):
        score(frame, pool=["spaces"])
    with pytest.raises(UsageError, match="cannot compare by 'colour'"):
        score(frame, compare_by="colour")


def test_models_are_compared_on_what_else_is_equal():
    asked = problems(12)
    one, other = (simulated(spec, asked) for spec in ("perfect", "off-by-one"))
    frame = frame_of([*one.to_dict("records"), *other.assign(model="worse").to_dict("records")])
    pairs = score(frame, compare_by="model").comparisons
    assert set(pairs["first"]) == {"made-up"}
    assert set(pairs["second"]) == {"worse"}
    assert pairs["problem_format"].tolist() == list(FORMATS)
    assert (pairs["only_first"] == 12).all()


def test_scores_are_one_json_document():
    scores = score(simulated("off-by-one:0.5", problems(10)), pool=["num_spaces"])
    document = json.loads(json.dumps(scores.as_json(), allow_nan=False))
    assert {"settings", "prompts", "cells", "pooled", "errors", "splits"} < set(document)
    assert {"digits", "comparisons", "overall", "flags"} < set(document)
    cell = document["cells"][0]
    assert cell["k"] == cell["correct"]
    assert cell["repeat_format"] is None
    again = score(simulated("off-by-one:0.5", problems(10)), pool=["num_spaces"])
    assert again.as_json() == scores.as_json()


def test_prompts_are_labelled_by_their_names_or_their_beginning():
    long = "Add the two numbers that follow and say nothing else."
    labels = label_prompts(["", "You are a helpful assistant.", long, long + " Please."])
    assert list(labels.values())[:3] == ["none", "default", "Add the two numbers tha…"]
    assert len(set(labels.values())) == 4


def test_rows_that_were_scored_can_be_scored_again(tmp_path):
    scores = score(simulated("off-by-one:0.5", problems(10)))
    provenance = Provenance(study="numbers-score")
    write_scores(scores, tmp_path, provenance)
    again = score_files([tmp_path / "results.csv"])
    assert again.as_json() == scores.as_json()
