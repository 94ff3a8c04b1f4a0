import csv

import pytest

from tokkit import load
from tokkit.prices import Price
from tokkit.studies.asking.estimate import estimate, make_budget, prompt_tokens
from tokkit.studies.asking.request import Answer, Decoding, Message, Request

SEPARATORS = {"comma": ",", "space": " ", "dec": ".", "hashtag": "#", "dollar": "$"}
PRICE = Price("some", input=2.0, output=8.0, batch=0.5)


@pytest.fixture(scope="module")
def cl100k(shared):
    return load(shared / "tokenizers" / "tiktoken" / "cl100k_base.tiktoken", pattern="cl100k")


def written(number, name):
    """Write a number as the public study does; its l2r "oof" is what it means by foo_r2l."""
    name, _, direction = name.partition("_")
    if not direction:
        return number
    if direction == "l2r":
        separator = SEPARATORS.get(name, "foo")
        return separator.join(number[i : i + 3] for i in range(0, len(number), 3))
    separator = SEPARATORS.get(name, "oof")
    first = len(number) % 3 or 3
    rest = range(first, len(number), 3)
    return separator.join([number[:first], *(number[i : i + 3] for i in rest)])


def messages(row):
    """Rebuild what was asked for a row of a public file, from its description alone."""
    asked, answered = row["problem_number_format"], row["answer_number_format"]
    repeated = row.get("repeat_problem_number_format")
    spaces, trailing = " " * int(row["num_spaces"]), " " * int(row["num_trailing_spaces"])
    chat = [Message("system", row["system_prompt"])]

    def query(sides, name):
        first, second = (written(each, name) for each in sides)
        return f"{first}{spaces}+{spaces}{second}{spaces}={trailing}"

    for shot in filter(None, row["shots"].split(",")):
        problem, answer = shot.split("=")
        before = query(problem.split("+"), repeated) if repeated else ""
        chat.append(Message("user", query(problem.split("+"), asked)))
        chat.append(Message("assistant", before + written(answer, answered)))
    return (*chat, Message("user", row["problem_msg"]))


@pytest.mark.parametrize(
    "name",
    [
        "20230407_gpt35_comma_effects",
        "20230518_gpt_other_delimiters",
        "20230524_gpt_comma_effects_repeat_style_triplets",
    ],
)
def test_recorded_prompt_tokens_are_counted_exactly(shared, cl100k, name):
    path = shared / "eval" / "tokenization_counts" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    requests = [Request(key=str(i), messages=messages(row)) for i, row in enumerate(rows)]
    model = rows[0]["model"]
    counted = prompt_tokens(requests, model=model, tokenizer=cl100k)
    wrong = [i for i, row in enumerate(rows) if counted[i] != int(row["prompt_tokens"])]
    assert (model, wrong) == ("gpt-3.5-turbo-0301", [])


def test_chats_of_later_models_have_one_token_less_per_message(cl100k):
    # 2307350+6058422 with one shot is 72 tokens for gpt-4-0314 and 76 for gpt-3.5-turbo-0301,
    # as the rows of the public files say.
    system = (
        "You are MathGPT, an expert at solving math problems. When given a math problem, you "
        "respond only with the answer. You do not say any other words."
    )
    chat = (
        Message("system", system),
        Message("user", "1883859+3177908="),
        Message("assistant", "5061767"),
        Message("user", "2307350+6058422="),
    )
    request = Request(key="0", messages=chat)
    assert prompt_tokens([request], model="gpt-4-0314", tokenizer=cl100k) == [72]
    assert prompt_tokens([request], model="gpt-3.5-turbo-0301", tokenizer=cl100k) == [76]


def test_without_a_tokenizer_it_is_a_guess():
    request = Request(key="0", prompt="12345")
    assert prompt_tokens([request]) == [2]
    found = estimate([request], asked="m", model="m", is_kept=lambda _: False)
    assert not found.counted
    assert found.cost is None
    assert "unknown" in str(found._cost())


def asked_twice():
    decoding = Decoding(max_tokens=10)
    facts = {"truth": 123456789}
    return [
        Request(key="a", prompt="x" * 40, decoding=decoding, facts=facts),
        Request(key="b", prompt="x" * 40, decoding=decoding, facts=facts),
        Request(key="c", prompt="y" * 80, decoding=decoding),
    ]


def test_what_is_equal_or_kept_is_not_paid_for():
    requests = asked_twice()
    found = estimate(
        requests,
        asked="m",
        model="m",
        is_kept={requests[2].digest("m")}.__contains__,
        price=PRICE,
    )
    assert (found.requests, found.unique, found.cached, found.to_ask) == (3, 2, 1, 1)
    assert found.prompt_tokens == 10
    assert found.completion_tokens == (3, 10)  # nine digits, four a token
    assert found.cost == pytest.approx(((20 + 24) / 1e6, (20 + 80) / 1e6))
    assert found.as_json()["cost"] == list(found.cost)


def test_batches_cost_less():
    whole = {"asked": "m", "model": "m", "is_kept": lambda _: False, "price": PRICE}
    single, batch = (estimate(asked_twice(), **whole, batch=each) for each in (False, True))
    assert batch.cost[1] == pytest.approx(single.cost[1] / 2)


def test_budget_charges_what_was_told():
    request = Request(key="a", prompt="x" * 40, decoding=Decoding(max_tokens=10))
    budget = make_budget(PRICE, limit=1.0)
    assert budget.estimate(request) == pytest.approx(100 / 1e6)
    told = Answer(text="1", prompt_tokens=7, completion_tokens=2)
    assert budget.charge(request, told) == pytest.approx((14 + 16) / 1e6)
    assert budget.charge(request, Answer(text="1")) == pytest.approx(100 / 1e6)
