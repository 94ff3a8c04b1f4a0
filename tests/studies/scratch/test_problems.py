"""Problems of addition and of counting, beside strings of Python."""

import numpy as np
import pytest

from tokkit.errors import UsageError
from tokkit.studies.scratch.addition import MATCH, MISMATCH, Addition
from tokkit.studies.scratch.counting import Counting, parse_letters
from tokkit.studies.scratch.groups import Grouping
from tokkit.studies.scratch.rows import PAD

SINGLE, LEFT, RIGHT = (
    Addition(Grouping.parse(name), held_out_count=60) for name in ("single", "l2r2", "r2l2")
)


def chance(seed=0):
    return np.random.default_rng(seed)


def spelled(rows, tokens):
    return [" ".join(tokens[token] for token in row if token != PAD) for row in rows]


def addition_tokens(size):
    digits = [f"{n:0{width}d}" for width in range(1, size + 1) for n in range(10**width)]
    return [*digits, "+", "=", "."]


def test_a_sum_is_written_out():
    problems = SINGLE.draw(chance(), 40)
    questions = spelled(problems.questions, addition_tokens(1))
    answers = spelled(problems.answers, addition_tokens(1))
    for question, answer, truth in zip(questions, answers, problems.truths, strict=True):
        first, second = question.replace(" ", "").rstrip("=").split("+")
        assert 2 <= len(first) <= 4
        assert 2 <= len(second) <= 4
        assert int(first) + int(second) == truth
        assert answer == " ".join([*str(truth), "."])


def test_groups_are_counted_from_either_side():
    left, right = (each.draw(chance(), 200) for each in (LEFT, RIGHT))
    is_long = (left.columns["first"] > 999) & (left.columns["second"] < 1000)
    place = int(is_long.argmax())
    first, second = (int(left.columns[name][place]) for name in ("first", "second"))
    short = f"{second // 10} {second % 10}" if second > 99 else str(second)
    expected = f"{first // 100} {first % 100:02d} + {short} ="
    assert spelled(left.questions[[place]], addition_tokens(2)) == [expected]
    short = f"{second // 100} {second % 100:02d}" if second > 99 else str(second)
    expected = f"{first // 100} {first % 100:02d} + {short} ="
    assert spelled(right.questions[[place]], addition_tokens(2)) == [expected]


def test_all_tokenizations_have_the_same_problems():
    for one, other in ((SINGLE, LEFT), (LEFT, RIGHT)):
        assert (
            one.draw(chance(3), 50).truths.tolist() == other.draw(chance(3), 50).truths.tolist()
        )
        for name in ("first", "second"):
            assert (one.held_out.columns[name] == other.held_out.columns[name]).all()


def test_a_match_is_an_operand_as_long_as_the_answer():
    problems = LEFT.draw(chance(), 300)
    pairs = zip(problems.columns["first"], problems.columns["second"], strict=True)
    expected = [
        MATCH if len(str(a + b)) in (len(str(a)), len(str(b))) else MISMATCH for a, b in pairs
    ]
    assert problems.kinds.tolist() == expected
    assert 0.5 < expected.count(MATCH) / 300 < 0.95


def test_each_length_is_equally_likely():
    problems = SINGLE.draw(chance(), 9000)
    lengths = [len(str(value)) for value in problems.columns["first"]]
    assert all(abs(lengths.count(size) - 3000) < 200 for size in (2, 3, 4))


def test_what_is_held_out_is_never_drawn_in_any_order():
    source = Addition(Grouping("l2r", 1), digits=(1, 2), held_out_count=500)
    held = source.held_out.columns
    pairs = {tuple(sorted(pair)) for pair in zip(held["first"], held["second"], strict=True)}
    assert len(pairs) == 500
    drawn = source.draw(chance(), 20_000).columns
    others = {tuple(sorted(pair)) for pair in zip(drawn["first"], drawn["second"], strict=True)}
    assert not pairs & others
    # Nothing but what is held out is missing: there are 99 operands, 0 is none of one digit.
    assert len(others) > 0.85 * (99 * 100 / 2 - 500)


def test_what_is_no_answer_is_told_apart():
    end, plus = RIGHT.end, RIGHT.grouping.vocab_size
    eleven, twenty_two, zero_one = 10 + 11, 10 + 22, 10 + 1
    rows = [
        [eleven, twenty_two, end],
        [eleven, twenty_two, eleven],
        [zero_one, twenty_two, end],
        [end, PAD, PAD],
        [plus, 5, end],
        [5, end, PAD],
    ]
    assert RIGHT.read(np.array(rows)).tolist() == [1122, -1, -1, -1, -1, 5]


def test_sequences_fit_the_context():
    for source in (SINGLE, LEFT, RIGHT):
        problems = source.draw(chance(), 500)
        assert problems.questions.shape[1] + problems.answers.shape[1] == source.context
        assert problems.answers.shape[1] == source.longest_answer
        assert problems.answers.max() < source.vocab_size


@pytest.mark.parametrize("per_token", [1, 2, 3, 5])
def test_strings_are_cut_into_tokens_of_so_many_letters(per_token):
    source = Counting(per_token, (4, 9), held_out_count=30)
    groups = [
        "".join("ab"[n >> (width - 1 - i) & 1] for i in range(width))
        for width in range(1, per_token + 1)
        for n in range(2**width)
    ]
    tokens = [*map(str, range(10)), *groups, "=", "."]
    assert len(tokens) == source.vocab_size
    problems = source.draw(chance(), 100)
    columns = zip(problems.columns["letter"], problems.columns["string"], strict=True)
    for (letter, string), question, answer, kind in zip(
        columns,
        spelled(problems.questions, tokens),
        spelled(problems.answers, tokens),
        problems.kinds,
        strict=True,
    ):
        parts = [string[at : at + per_token] for at in range(0, len(string), per_token)]
        assert question == " ".join([letter, *parts, "="])
        assert answer == f"{string.count(letter)} ."
        assert 4 <= len(string) <= 9
        assert kind == ("up to 6 letters" if len(string) <= 6 else "over 6 letters")
    assert source.read(problems.answers).tolist() == problems.truths.tolist()


def test_all_tokens_of_letters_have_the_same_strings():
    drawn = [Counting(per_token).draw(chance(), 50).columns["string"] for per_token in (1, 4)]
    assert (drawn[0] == drawn[1]).all()


def test_no_string_that_is_held_out_is_drawn():
    source = Counting(2, (3, 7), held_out_count=12)
    held = set(zip(*source.held_out.columns.values(), strict=True))
    assert len(held) == 12
    drawn = source.draw(chance(), 10_000).columns
    others = set(zip(*drawn.values(), strict=True))
    assert not held & others
    assert len(others) == 2 * sum(2**size for size in range(3, 8)) - 12


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Addition(Grouping("l2r", 2), (0, 2)), "operands of 0 to 2 digits"),
        (lambda: Addition(Grouping("l2r", 2), (3, 2)), "operands of 3 to 2 digits"),
        (lambda: Addition(Grouping("l2r", 2), (2, 10)), "operands of 2 to 10 digits"),
        (lambda: Addition(Grouping("l2r", 2), (1, 1), 100), "too few problems to hold out 100"),
        (lambda: Counting(2, (0, 5)), "strings of 0 to 5 letters"),
        (lambda: Counting(2, (5, 61)), "strings of 5 to 61 letters"),
        (lambda: Counting(2, (2, 5), 100), "too few to hold out"),
        (lambda: parse_letters("letters0"), "no way to cut strings"),
        (lambda: parse_letters("letters9"), "no way to cut strings"),
        (lambda: parse_letters("2"), "no way to cut strings"),
    ],
)
def test_problems_that_are_none_are_refused(make, reason):
    with pytest.raises(UsageError, match=reason):
        make()
