"""Every problem under every condition."""

import json
from itertools import product

import pytest

from tokkit.errors import UsageError
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.formats import parse_format
from tokkit.studies.numbers.generating import (
    Design,
    count_parts,
    count_tokens,
    cross_conditions,
    generate,
)
from tokkit.studies.numbers.rows import documented_messages, requests_of
from tokkit.studies.numbers.sampling import Drawing, parse_lengths

FORMATS = ("nosep", "comma_r2l", "nosep/comma_r2l/reversed", "comma_l2r//nosep")
DESIGN = Design(
    drawings=(Drawing(lengths=parse_lengths("4-6")),),
    problems=12,
    formats=FORMATS,
    shots=(0, 1, 4),
)


@pytest.fixture(scope="module")
def rows():
    return lines_of(generate(DESIGN).frame)


def test_all_conditions_have_the_same_problems_and_examples(rows):
    parts = [rows[start : start + 12] for start in range(0, len(rows), 12)]
    assert len(parts) == len(FORMATS) * 3
    problems = [(row["problem_index"], row["num1"], row["num2"]) for row in parts[0]]
    for part, (_, shots) in zip(parts, product(FORMATS, (0, 1, 4)), strict=True):
        assert [(row["problem_index"], row["num1"], row["num2"]) for row in part] == problems
        for row, most in zip(part, parts[2], strict=True):
            shown = row["shots"].split(",") if row["shots"] else []
            assert len(shown) == row["num_shots"] == shots
            assert shown == most["shots"].split(",")[:shots]


def test_a_chat_is_what_its_columns_say(rows):
    for row in rows:
        assert json.loads(row["messages"]) == [list(each) for each in documented_messages(row)]
        assert row["messages"].endswith(json.dumps([["user", row["problem_msg"]]])[1:])
    assert len({row["key"] for row in rows}) == len(rows)


def test_the_parts_of_a_chat(rows):
    row = next(row for row in rows if row["repeat_problem_number_format"] and row["num_shots"])
    comma = parse_format("comma_r2l").write
    one, other = map(int, row["shots"].partition("=")[0].split("+"))
    assert json.loads(row["messages"]) == [
        ["system", "You are a helpful assistant."],
        ["user", f"{one}+{other}="],
        ["assistant", f"{comma(one)}+{comma(other)}={str(one + other)[::-1]}"],
        ["user", f"{row['num1']}+{row['num2']}="],
    ]


def test_requests_know_the_answer_they_ask_for(rows):
    from tokkit.studies.numbers.rows import frame_of

    for row, request in zip(rows, requests_of(frame_of(rows)), strict=True):
        assert request.facts["truth"] == row["num1"] + row["num2"]
        assert request.facts["problem"] == f"{row['num1']}+{row['num2']}"
        assert len(request.facts["formatted_truth"]) <= request.decoding.max_tokens
        written = parse_format(row["answer_number_format"]).write(request.facts["truth"])
        assert request.facts["formatted_truth"].endswith(written)
        assert ("=" in request.facts["formatted_truth"]) == bool(
            row["repeat_problem_number_format"]
        )


def test_more_of_anything_leaves_the_other_prompts_as_they_are(rows):
    more = Design(
        drawings=DESIGN.drawings, problems=15, formats=("nosep", "spaces"), shots=(4, 8)
    )
    found = {row["messages"]: row["max_tokens"] for row in lines_of(generate(more).frame)}
    for row in rows:
        if row["key"].endswith("/2"):  # the third condition: plain numbers, four examples
            assert found[row["messages"]] == row["max_tokens"]


def test_plain_prompts_end_where_the_answer_begins():
    design = Design(
        problems=3,
        shots=(2,),
        spaces=1,
        trailing_spaces=1,
        plain=True,
        system_prompt="",
        preamble="Add.",
    )
    for request in requests_of(generate(design).frame):
        lines = request.prompt.split("\n")
        assert lines[0] == "Add."
        for line in lines[1:3]:
            question, answer = line.split(" = ")
            one, other = question.split(" + ")
            assert int(one) + int(other) == int(answer)
        problem = f"{request.facts['num1']} + {request.facts['num2']} = "
        assert lines[3:] == [problem]
        assert request.decoding.stop == ("\n",)
        assert not request.messages


def test_padded_is_as_wide_as_any_number_may_be():
    widths = {}
    for operation in "+-*":
        drawing = Drawing(operation=operation, lengths=parse_lengths("3x2,2"))
        [condition] = cross_conditions(Design(drawings=(drawing,), formats=("padded",)))
        widths[operation] = condition.query
    assert widths == {"+": "padded:4", "-": "padded:3", "*": "padded:5"}


def test_group_sizes_are_crossed_only_where_there_are_groups():
    design = Design(formats=("nosep", "comma_r2l", "spaces"), chunk_sizes=(2, 3))
    found = [(each.query, each.chunk_size) for each in cross_conditions(design)]
    assert found == [("nosep", 3), ("comma_r2l", 2), ("comma_r2l", 3), ("spaces", 3)]


def test_operations_have_problems_of_their_own():
    drawings = tuple(Drawing(operation=each, lengths=parse_lengths("2")) for each in "+-*")
    frame = generate(Design(drawings=drawings, problems=5)).frame
    assert "".join(frame["operation"]) == "+++++-----*****"
    assert list(frame["problem_index"]) == list(range(15))
    assert count_parts(frame) == {"rows": 15, "problems": 15, "conditions": 3}


def test_lengths_without_problems_are_left_out_and_said():
    design = Design(drawings=(Drawing(operation="-", lengths=parse_lengths("1-2")),))
    assert generate(design).left_out == ("- of 1x2",)


@pytest.mark.parametrize("name", ["comma", "nosep/comma_r2l", "//nosep", "nosep//", "a//b"])
def test_formats_that_are_none_are_refused(name):
    with pytest.raises(UsageError, match="format"):
        generate(Design(formats=(name,)))


def test_tokens_take_a_tokenizer(shared):
    from tokkit import load

    with pytest.raises(UsageError, match="takes a tokenizer"):
        generate(Design(operand_tokens=1))
    gpt2 = load(shared / "tokenizers" / "hf" / "gpt2")
    generated = generate(Design(problems=4, operand_tokens=1), gpt2)
    assert [each.digits for each in generated.coverage] == [3]
    # Two operands, the sign, and the equals sign.
    assert list(count_tokens(generated.frame, gpt2)["problem_tokens"]) == [4] * 4
