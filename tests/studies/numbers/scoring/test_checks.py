import json

import pytest

from tests.studies.numbers.scoring.builders import row
from tokkit import Tokenizer, Vocabulary
from tokkit.segment.bpe import BPE
from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.rows import frame_of
from tokkit.studies.numbers.scoring.breakdown import place_digits
from tokkit.studies.numbers.scoring.checks import CHECKS, boundary_check, find_flags
from tokkit.studies.numbers.scoring.positions import Place, cut_by_groups, cut_by_tokenizer
from tokkit.studies.numbers.scoring.scores import read_rows_of

PROBLEM = Problem(1234, 5678)


@pytest.fixture(scope="module")
def pairs():
    """A tokenizer of bytes, of ``12``, ``34``, and of ``=6``."""
    import numpy as np

    tokens = [bytes([byte]) for byte in range(256)] + [b"12", b"34", b"=6"]
    merges = [[*map(ord, text), 256 + place] for place, text in enumerate(("12", "34", "=6"))]
    return Tokenizer(Vocabulary(tuple(tokens)), BPE(tokens, np.array(merges, dtype=np.int32)))


def found(name, number_format="comma_r2l", answer=None, **columns):
    """What a check says of one row."""
    answer = PROBLEM.truth if answer is None else answer
    frame = frame_of([row(PROBLEM, answer, number_format, **columns)])
    return CHECKS[name].finds(read_rows_of(frame).to_dict("records")[0])


@pytest.mark.parametrize(
    ("number_format", "message", "matches"),
    [
        ("comma_r2l", "1,234+5,678=", True),
        ("comma_r2l", "What is 1,234 plus 5,678?", True),
        ("comma_r2l", "1234+5678=", False),
        ("comma_r2l", "123,4+567,8=", False),
        ("nosep", "1,234+5,678=", False),
        ("nosep", "11234+5678=", False),
        ("foo_r2l", "1oof234+5oof678=", False),
        ("foo_r2l", "1foo234+5foo678=", True),
        ("space_l2r", "123 4 + 567 8 =", True),
        ("reversed", "4321+8765=", True),
        ("reversed", "1234+5678=", False),
        ("padded:6", "001234+005678=", True),
    ],
)
def test_prompts_are_written_as_stated(number_format, message, matches):
    assert bool(found("prompt_format", number_format, problem_msg=message)) != matches


@pytest.mark.parametrize(
    ("answer", "asked", "finds"),
    [
        ("2,000", "1,234+5,678=", ""),
        ("2oof000", "1,234+5,678=", "the example 1999+1"),
        ("2000", "1,234+5,678=", "the example 1999+1"),
        ("2,000", "1234+5678=", "user\n1,999+1=\n2,000\n1234+5678="),
    ],
)
def test_examples_are_written_as_stated(answer, asked, finds):
    """What was said tells, where there is no column for the problem alone."""
    columns = {"shots": "1999+1=2000", "problem_msg": ""}
    chat = [["user", "1,999+1="], ["assistant", answer], ["user", asked]]
    said = json.dumps([["system", "user"], *chat])
    assert found("prompt_format", messages=said, **columns) == finds
    text = f"user\n1,999+1={answer}\n{asked}"
    assert bool(found("prompt_format", prompt=text, **columns)) == bool(finds)


def test_layout_is_told_from_format():
    assert found("prompt_layout", problem_msg="1,234 + 5,678 =") == "'1,234 + 5,678 ='"
    assert not found("prompt_layout", problem_msg="1,234 + 5,678 =", num_spaces=1)
    assert not found("prompt_layout", problem_msg="1234+5678=")


@pytest.mark.parametrize(
    ("messages", "columns", "doubled"),
    [
        ([["user", "1+2= "], ["assistant", " 3"]], {}, True),
        ([["user", "1+2="], ["assistant", "  3"]], {}, True),
        ([["user", "1+2="], ["assistant", " 3"]], {}, False),
        ([["user", "1+2=  "], ["assistant", "3"]], {"num_trailing_spaces": 2}, False),
        ([["user", "1+2=  "], ["assistant", "3"]], {}, True),
        ([["system", "a  "], ["user", "b"]], {}, False),
    ],
)
def test_doubled_spaces_of_a_chat(messages, columns, doubled):
    assert bool(found("doubled_spaces", messages=json.dumps(messages), **columns)) == doubled


@pytest.mark.parametrize(
    ("prompt", "doubled"),
    [
        ("1+2=  3\n4+5=", True),
        ("1+2= 3\n4+5=", False),
        ("1+2=3\n4+5=  ", False),
        (
            "Question: What is 1 plus 2?\nAnswer:  3\n\nQuestion: What is 4 plus 5?\nAnswer:",
            True,
        ),
        (
            "Question: What is 1 plus 2?\nAnswer: 3\n\nQuestion: What is 4 plus 5?\nAnswer:",
            False,
        ),
    ],
)
def test_doubled_spaces_of_a_text(prompt, doubled):
    assert bool(found("doubled_spaces", prompt=prompt)) == doubled


def test_examples_are_worked_out():
    assert found("wrong_example", shots="1+2=3,4+5=10") == "4+5=10"
    assert found("wrong_example", shots="one") == "one"
    assert not found("wrong_example", shots="1+2=3,5-8=-3,2*3=6")
    assert not found("wrong_example", shots="")


def test_a_problem_is_not_its_own_example():
    assert found("problem_among_examples", shots="1+2=3,1234+5678=6912")
    assert found("problem_among_examples", shots="5678+1234=6912") == "5678+1234=6912"
    assert not found("problem_among_examples", shots="11234+5678=16912")


@pytest.mark.parametrize(
    ("columns", "is_short"),
    [
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "stop"}, False),
        ({"completion_tokens": 10, "max_tokens": 10}, True),
        ({"completion_tokens": 9, "max_tokens": 10}, False),
        ({"completion_tokens": 10}, False),
        ({}, False),
    ],
)
def test_answers_that_were_cut_short(columns, is_short):
    assert bool(found("cut_short", **columns)) == is_short


def test_flags_are_counted_by_condition():
    rows = [row(PROBLEM, 1, "nosep", key=f"{place}", shots="1+1=3") for place in range(3)]
    rows.append(row(Problem(1, 2), 3, "comma_r2l"))
    flags = find_flags(read_rows_of(frame_of(rows)))
    lines = flags.set_index("check")
    assert sorted(flags["check"]) == ["duplicate", "wrong_example"]
    assert lines.loc["duplicate", ["rows", "of"]].tolist() == [2, 3]
    assert lines.loc["wrong_example", ["rows", "of"]].tolist() == [3, 3]
    assert lines.loc["wrong_example", "example"] == "1+1=3"
    assert not len(find_flags(read_rows_of(frame_of([rows[-1]]))))


def test_a_prompt_that_takes_in_the_answer(pairs):
    check = boundary_check(pairs)
    rows = [
        row(PROBLEM, 6912, "nosep", prompt="1234+5678="),
        row(Problem(1, 2), 3, "nosep", prompt="1+2="),
        row(Problem(1, 678), 679, "nosep"),
    ]
    records = read_rows_of(frame_of(rows), pairs).to_dict("records")
    assert [check.finds(each) for each in records] == ["'=6'", "", ""]
    flags = find_flags(read_rows_of(frame_of(rows), pairs), pairs)
    assert flags["check"].tolist() == ["answer_merges"]


def test_digits_are_placed_by_the_tokenizer(pairs):
    cut = cut_by_tokenizer(pairs)
    assert cut("é=12341", 2, "12341") == [
        Place(1, 1, 2),
        Place(1, 2, 2),
        Place(2, 1, 2),
        Place(2, 2, 2),
        Place(3, 1, 1),
    ]
    assert cut("1,2", 0, "1,2") == [Place(1, 1, 1), Place(2, 1, 1)]
    # What stands before an answer has its effect.
    assert cut("=612", 1, "612") == [Place(1, 1, 1), Place(2, 1, 2), Place(2, 2, 2)]
    assert cut("112", 0, "112") == [Place(1, 1, 1), Place(2, 1, 2), Place(2, 2, 2)]


def test_digits_are_placed_by_groups():
    assert cut_by_groups("1,23", 0, "1,23") == [Place(1, 1, 1), Place(2, 1, 2), Place(2, 2, 2)]
    assert cut_by_groups("123", 0, "123") is None


def test_places_are_those_of_the_number_whatever_its_format(pairs):
    cut = cut_by_tokenizer(pairs)
    frame = frame_of(
        [
            row(Problem(7, 5), 12, "padded:4"),
            row(Problem(20, 1), 21, "reversed"),
            row(Problem(100, 111), "the answer is 212", "nosep"),
        ]
    )
    rows = read_rows_of(frame)[:].drop(columns=["digit_tokens"])
    placed = place_digits(rows, cut)
    both = [Place(1, 1, 2), Place(1, 2, 2)]
    assert placed["digit_tokens"].tolist()[0] == [Place(3, 1, 2), Place(3, 2, 2)]
    assert placed["digit_tokens"].tolist()[1] == both[::-1]
    last = placed.iloc[2]
    assert (last["off_by_one_token"], last["off_by_one_in_token"]) == (2, 2)
    assert last["off_by_one_at_token_end"]
