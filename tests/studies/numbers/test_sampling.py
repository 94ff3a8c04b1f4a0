"""Drawing problems."""

from collections import Counter

import pytest

from tests.studies.numbers.test_pair_spaces import carried
from tokkit.errors import UsageError
from tokkit.studies.numbers.operand_tokens import Coverage, TokenFilter
from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.sampling import Drawing, Lengths, Sampler, parse_lengths


def test_lengths_are_read():
    assert parse_lengths("3") == (Lengths(3, 3),)
    assert parse_lengths("1-2") == tuple(Lengths(a, b) for a in (1, 2) for b in (1, 2))
    assert parse_lengths("3x5, 3x5=6,3") == (Lengths(3, 5), Lengths(3, 5, 6), Lengths(3, 3))
    assert [str(each) for each in parse_lengths("3x5=6,2")] == ["3x5=6", "2x2"]


@pytest.mark.parametrize(
    "text", ["", "0", "x", "3x", "3-", "2-1", "101", "3=6", "1-2x3", "3,,4"]
)
def test_other_lengths_are_refused(text):
    with pytest.raises(UsageError, match="digit lengths"):
        parse_lengths(text)


def test_problems_take_turns_and_none_is_asked_twice():
    sampler = Sampler(Drawing(lengths=parse_lengths("1-2")))
    problems = sampler.problems(380)
    assert len(set(problems)) == 380
    for index, problem in enumerate(problems):
        turn = sampler.turns[index % 4]
        assert (len(str(problem.num1)), len(str(problem.num2))) == (turn.first, turn.second)


def test_more_problems_leave_the_first_ones_as_they_are():
    sampler = Sampler(Drawing(lengths=parse_lengths("2-9")), seed=3)
    problems = sampler.problems(50)
    assert Sampler(Drawing(lengths=parse_lengths("2-9")), seed=3).problems(20) == problems[:20]
    assert sampler.examples(7, problems[7], 8)[:3] == sampler.examples(7, problems[7], 3)
    assert Sampler(Drawing(lengths=parse_lengths("2-9")), seed=4).problems(50) != problems


def test_examples_are_like_the_problem_but_not_the_problem():
    drawing = Drawing(lengths=parse_lengths("1"), answer="mismatch")
    sampler = Sampler(drawing)
    problem = Problem(5, 7)
    examples = sampler.examples(0, problem, 43)  # 45 pairs have an answer of two digits
    assert len(set(examples)) == 43
    assert not {problem, problem.flipped} & set(examples)
    assert all(each.truth >= 10 for each in examples)
    with pytest.raises(UsageError, match=r"44 examples for 5\+7 of 1x1 digits are too many"):
        sampler.examples(0, problem, 44)


@pytest.mark.parametrize(
    ("operation", "digits"), [("+", "2-5,3x9"), ("-", "2-5"), ("*", "1x3,4x1")]
)
@pytest.mark.parametrize("answer", ["match", "mismatch"])
def test_answers_are_as_long_as_asked(operation, digits, answer):
    drawing = Drawing(operation=operation, lengths=parse_lengths(digits), answer=answer)
    for problem in Sampler(drawing).problems(40):
        sizes = [len(str(abs(n))) for n in (problem.num1, problem.num2, problem.truth)]
        assert (sizes[2] in sizes[:2]) == (answer == "match")


def test_answers_have_the_digits_of_a_triple():
    drawing = Drawing(lengths=parse_lengths("7x8=9,8x8=8"))
    assert [len(str(each.truth)) for each in Sampler(drawing).problems(4)] == [9, 8, 9, 8]


@pytest.mark.parametrize("operation", ["+", "-"])
def test_columns_carry_as_often_as_asked(operation):
    lengths = parse_lengths("4-6")
    drawing = Drawing(operation=operation, lengths=lengths, carries=(2, 3), chain=(2, 2))
    for problem in Sampler(drawing).problems(50):
        columns = carried(problem.num1, problem.num2, operation)
        assert 2 <= sum(columns) <= 3
        text = "".join("01"[each] for each in columns)
        assert "11" in text
        assert "111" not in text


def test_differences_are_negative_only_if_asked():
    asked = {"operation": "-", "lengths": parse_lengths("1-2")}
    never, often = (
        [each.truth for each in Sampler(Drawing(**asked, negative=negative)).problems(60)]
        for negative in (False, True)
    )
    assert min(never) >= 0
    assert min(often) < 0 < max(often)
    assert [str(each) for each in Sampler(Drawing(**asked)).left_out] == ["1x2"]


def test_each_problem_is_as_likely_as_any_other():
    counts = Counter(
        Sampler(Drawing(operation="-", lengths=parse_lengths("1"), negative=True), seed=seed)
        .problems(1)[0]
        .truth
        == 0
        for seed in range(1000)
    )
    # 10 of 100 pairs are equal; five standard deviations of 1,000 draws are 47.
    assert abs(counts[True] - 100) < 47


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="no problems a-b of 2x3 digits"):
        Sampler(Drawing(operation="-", lengths=parse_lengths("2x3")))
    with pytest.raises(UsageError, match="products have no single row of carries"):
        Drawing(operation="*", carries=(1, 1))
    with pytest.raises(UsageError, match="101 problems of 1x1 digits are too many"):
        Sampler(Drawing(lengths=parse_lengths("1"))).problems(101)


@pytest.fixture(scope="module")
def gpt2(shared):
    from tokkit import load

    return load(shared / "tokenizers" / "hf" / "gpt2")


def test_operands_are_kept_by_their_tokens(gpt2):
    tokens = TokenFilter(gpt2, operand=1)
    single = {
        text for text in (str(number) for number in range(1000)) if len(gpt2.encode(text)) == 1
    }
    # Of 1,000 texts of 3 digits 777 are tokens of GPT-2; no operand begins with 0.
    three = sum(len(gpt2.encode(f"{number:03d}")) == 1 for number in range(1000))
    assert three == 777
    kept = sum(len(text) == 3 for text in single)
    assert tokens.coverage(3) == Coverage(3, kept, 900)
    assert tokens.coverage(6) is None
    drawing = Drawing(lengths=parse_lengths("3,4x3"))
    for problem in Sampler(drawing, tokens=tokens).problems(40):
        assert len(gpt2.encode(str(problem.num1))) == 1
        assert len(gpt2.encode(str(problem.num2))) == 1


def test_answers_and_long_operands_are_kept_by_their_tokens(gpt2):
    tokens = TokenFilter(gpt2, operand=3, answer=2, spaces=1)
    drawing = Drawing(lengths=parse_lengths("6x6=6"), carries=(0, 3))
    for problem in Sampler(drawing, tokens=tokens).problems(3):
        assert len(gpt2.encode(str(problem.num1))) == 3
        assert len(gpt2.encode(str(problem.truth))) == 2
        assert len(gpt2.encode(f" {problem.num2}")) == 3
