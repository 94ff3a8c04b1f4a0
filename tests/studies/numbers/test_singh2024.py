"""The preset equals the published tables, row by row."""

import csv
import json
from collections import Counter

import pytest

from tokkit.errors import UsageError
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.rows import documented_messages, read_rows
from tokkit.studies.numbers.singh2024 import generate_published
from tokkit.studies.numbers.singh2024_experiments import EXPERIMENTS, find_experiment

FILES = {
    "comma-effects": "20230407_gpt35_comma_effects.csv",
    "other-delimiters": "20230518_gpt_other_delimiters.csv",
    "repeat-style-triplets": "20230524_gpt_comma_effects_repeat_style_triplets.csv",
}
ANSWERS = {
    "response",
    "prompt_tokens",
    "completion_tokens",
    "problem_tokens",
    "repeat_style",
    "",
}


@pytest.fixture(scope="module")
def cl100k(shared):
    tiktoken = pytest.importorskip("tiktoken")
    from tiktoken.load import load_tiktoken_bpe

    path = shared / "tokenizers" / "tiktoken" / "cl100k_base.tiktoken"
    pattern = (
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|"""
        r""" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
    )
    ranks = load_tiktoken_bpe(str(path))
    encoding = tiktoken.Encoding(
        "cl100k", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    known = {}

    def count(text):
        if text not in known:
            known[text] = len(encoding.encode_ordinary(text))
        return known[text]

    return count


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_as_published(shared, name, cl100k):
    path = shared / "eval" / "tokenization_counts" / FILES[name]
    with path.open(encoding="utf-8", newline="") as file:
        published = list(csv.DictReader(file))
    own = lines_of(generate_published([name]).frame)
    assert len(own) == len(published)
    columns = [column for column in published[0] if column not in ANSWERS]
    assert [column for column in own[0] if column in columns] == columns
    for mine, theirs in zip(own, published, strict=True):
        assert [str(mine[column]) for column in columns] == [theirs[each] for each in columns]
        # The tokens OpenAI counted tell whether the messages are those that were sent: gpt-3.5
        # of March 2023 has 4 tokens around each message, and 3 before its answer.
        sent = sum(5 + cl100k(content) for _, content in json.loads(mine["messages"])) + 3
        assert sent == int(theirs["prompt_tokens"])
        assert cl100k(mine["problem_msg"]) == int(theirs["problem_tokens"])


@pytest.mark.parametrize("name", ["other-delimiters", "comma-effects-io"])
def test_columns_describe_the_messages_but_for_reversed_separators(name):
    generated = generate_published([name])
    unlike = Counter(
        row["problem_number_format"]
        for row in lines_of(generated.frame)
        if json.loads(row["messages"]) != [list(each) for each in documented_messages(row)]
    )
    assert unlike == ({"foo_r2l": 360} if name == "other-delimiters" else {})
    assert generated.unlike_format == unlike.total()


def test_keys_are_those_of_the_published_table_when_it_is_read(shared):
    path = shared / "eval" / "tokenization_counts" / FILES["other-delimiters"]
    read, own = read_rows(path), generate_published(["other-delimiters"]).frame
    assert list(read["key"]) == list(own["key"])
    assert list(read["file"]) == list(own["file"])


# Counted in the tables by others; those without public content have as many as their scripts.
ROWS = {
    "comma-effects-gpt4": 5040,
    "comma-effects-io": 1080,
    "answer-lengths": 2600,
    "answer-lengths-0613": 5200,
    "repeat-style-triplets-0613": 7200,
}


@pytest.mark.parametrize("name", ROWS)
def test_tables_that_are_not_at_hand_have_as_many_rows(name):
    experiment = EXPERIMENTS[name]
    assert experiment.problems * len(list(experiment.conditions())) == ROWS[name]


def test_answers_have_the_length_their_problem_has_turns_for():
    rows = lines_of(generate_published(["answer-lengths"]).frame)
    for row in rows[:1300]:
        lengths = EXPERIMENTS["answer-lengths"].lengths[row["problem_index"] % 13]
        digits = [len(str(n)) for n in (row["num2"], row["num1"], row["num1"] + row["num2"])]
        assert tuple(digits) == lengths  # operands are exchanged
        for example in row["shots"].split(","):
            problem, _, answer = example.partition("=")
            assert tuple(map(len, (*problem.split("+"), answer))) == lengths
    first = rows[0]
    assert (first["num1"], first["num2"]) == (8464327, 1470761)
    assert first["shots"].startswith("1130699+8505499=9636198,1277292+2082059=3359351,")
    assert json.loads(first["messages"])[1] == ["user", "8505499+1130699="]


def test_an_experiment_is_found_by_its_table_too():
    path = "results/20230518_gpt_other_delimiters.csv"
    assert find_experiment(path) is EXPERIMENTS["other-delimiters"]
    again = generate_published(["comma-effects-io", "20230519_gpt_comma_effects_io"]).frame
    assert len(again) == 1080
    with pytest.raises(UsageError, match="no experiment 'nothing': there are comma-effects"):
        find_experiment("nothing")


def test_plain_prompts_have_the_same_problems():
    chats = lines_of(generate_published(["comma-effects-io"]).frame)
    texts = lines_of(generate_published(["comma-effects-io"], plain=True).frame)
    assert [row["problem_msg"] for row in chats] == [row["problem_msg"] for row in texts]
    assert texts[0]["messages"] is None
    assert texts[0]["prompt"] == (
        "You are a helpful assistant.\n1883859+3177908=5,061,767\n2307350+6058422="
    )
