"""The recorded answers of arXiv 2402.14903, against what was published of them."""

import json

import pytest

from tokkit.studies.frames import json_lines
from tokkit.studies.numbers.rows import read_rows
from tokkit.studies.numbers.scoring.cells import count_cells
from tokkit.studies.numbers.scoring.checks import find_flags
from tokkit.studies.numbers.scoring.scores import read_rows_of

COMMAS = "20230407_gpt35_comma_effects.csv"
DELIMITERS = "20230518_gpt_other_delimiters.csv"
TRIPLETS = "20230524_gpt_comma_effects_repeat_style_triplets.csv"


@pytest.fixture(scope="module")
def rows(shared):
    folder = shared / "eval" / "tokenization_counts"
    names = (COMMAS, DELIMITERS, TRIPLETS)
    return {name: read_rows_of(read_rows(folder / name)) for name in names}


@pytest.fixture(scope="module")
def cells(rows):
    return [cell for each in rows.values() for cell in json_lines(count_cells(each))]


def test_every_expected_cell_is_equal(shared, cells):
    expected = json.loads((shared / "eval" / "expected_tokenization_counts.json").read_text())
    names = ("file", "system_prompt", "problem_format", "answer_format")
    names += ("num_spaces", "num_shots")
    found = {tuple(cell[name] for name in names): cell for cell in cells}
    assert len(expected) == 102
    for cell in expected:
        own = found[tuple(cell[name] for name in names)]
        assert {name: own[name] for name in cell} == cell
        assert own["k"] == own["correct"]


def ks(cells, name="k", **condition):
    return [
        cell[name]
        for cell in cells
        if all(cell[key] == value for key, value in condition.items())
    ]


@pytest.mark.parametrize(
    ("formats", "correct"),
    [
        ("R R R", [88, 87, 86, 89]),
        ("R L R", [71, 52, 53, 54]),
        ("R L L", [60, 60, 60, 61]),
        ("L R R", [70, 83, 83, 87]),
        ("L R L", [61, 71, 71, 62]),
        ("L L L", [63, 64, 65, 64]),
        ("R - R", [86, 88, 87, 88]),
        ("L - L", [61, 66, 66, 67]),
    ],
)
def test_triplets(cells, formats, correct):
    known = {"R": "comma_r2l", "L": "nosep", "-": None}
    asked, repeated, answered = (known[each] for each in formats.split())
    condition = {
        "file": TRIPLETS,
        "system_prompt": "default",
        "problem_format": asked,
        "repeat_format": repeated,
        "answer_format": answered,
    }
    assert ks(cells, **condition) == correct
    copied = ks(cells, "repeat_copy_match", **condition)
    assert copied == ([None] * 4 if repeated is None else [90] * 4)
    written = ks(cells, "repeat_format_match", **condition)
    known = {"R L R": [51, 88, 90, 90], "L R R": [81, 90, 90, 90]}
    assert formats not in known or written == known[formats]


def test_the_published_curve_pools_three_spacings_and_leaves_invalid_answers_out(rows):
    pooled = json_lines(count_cells(rows[COMMAS], ["num_spaces"]))
    condition = {"system_prompt": "default", "problem_format": "nosep"}
    own = [cell for cell in pooled if all(cell[key] == condition[key] for key in condition)]
    assert [(cell["k"], cell["valid"]) for cell in own[:4]] == [
        (185, 262),
        (199, 270),
        (202, 270),
        (204, 270),
    ]
    shares = [round(cell["accuracy_valid"], 4) for cell in own[:4]]
    assert shares == [0.7061, 0.7370, 0.7481, 0.7556]
    assert own[0]["pooled_over"] == {"num_spaces": [0, 1, 2]}
    assert own[0]["interval"] == "bootstrap by problem"
    # Three answers to a problem are worth less than three problems.
    width = own[1]["accuracy_high"] - own[1]["accuracy_low"]
    assert width > 1.5 * (2 * 1.96 * (0.737 * 0.263 / 270) ** 0.5)


def test_reversed_separators_are_found_and_read_apart(rows, cells):
    wrong = {"file": DELIMITERS, "problem_format": "foo_r2l"}
    assert ks(cells, "agnostic_correct", **wrong) == [36, 61, 65, 74]
    assert ks(cells, "valid", **wrong) == [0] * 4
    assert ks(cells, "prompts_match_format", **wrong) == [False] * 4
    flags = json_lines(find_flags(rows[DELIMITERS]))
    flag = next(flag for flag in flags if flag["check"] == "prompt_format")
    assert (flag["problem_format"], flag["rows"], flag["of"]) == ("foo_r2l", 360, 360)
    assert rows[DELIMITERS]["prompt_matches_format"].sum() == 2520
    pooled = count_cells(rows[COMMAS], ["num_shots", "repeat_format"])
    assert pooled["pooled_over"][0] == {"num_shots": [1, 2, 4, 8, 16], "repeat_format": [None]}
    pooled = count_cells(rows[DELIMITERS], ["num_shots"])
    assert "foo_r2l" not in set(pooled["problem_format"])
    assert len(pooled) == 7


def test_answers_cut_short_are_suspected(rows):
    flags = json_lines(find_flags(rows[COMMAS]))
    assert {flag["check"] for flag in flags} == {"perhaps_cut_short"}
    assert sum(flag["rows"] for flag in flags) == 9


def test_columns_of_the_published_analysis(rows):
    row = rows[TRIPLETS].iloc[0]
    assert row["response"] == "2,307,350 + 6,058,422 = 8,365,772"
    published = {
        "true_answer": 8365772,
        "formatted_true_answer": "8365772",
        "len1": 7,
        "len2": 7,
        "len_true_ans": 7,
        "len_match": True,
        "len_match_both": True,
        "num_carries": 1,
        "max_carry_chain": 1,
        "valid_answer": True,
        "answer": 8365772,
        "answer_match": True,
        "extracted_formatted_answer": "8,365,772",
        "constructed_formatted_answer": "8365772",
        "format_match": False,
        "formatted_answer_match": False,
        "padded_answer": True,
        "extraneous_response": False,
        "repeat_valid": True,
        "repeat_num1": 2307350,
        "repeat_copy_match": True,
        "repeat_format_match": True,
        "repeat_padded": True,
        "repeat_extraneous": False,
        "len_ans": 7,
        "correct_ans_len": True,
        "only_off_by_one": False,
        "only_off_by_one_digit_num": -1,
        "dropped_digit_error": False,
        "left_alignment_error": False,
    }
    assert {name: row[name] for name in published} == published
