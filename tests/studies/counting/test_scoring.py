"""What is made of answers."""

import math

import pytest

from tests.studies.counting.studies import answered, simulate
from tokkit.errors import CorpusError, UsageError
from tokkit.stats import holm
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.row_files import read_rows, write_rows
from tokkit.studies.counting.rows import make_rows, requests_of
from tokkit.studies.counting.samples import Sample
from tokkit.studies.counting.scoring import score

WORDS = {"aab": "Result: 2", "abb": "Result: 1", "bbb": "Result: 0", "aaa": "Result: 3"}


@pytest.fixture
def scores():
    """Four strings in two forms; raw has one wrong, one invalid, one readable at second try."""
    raw = WORDS | {"aab": "Result: 1", "abb": "dunno", "aaa": "Result: **3**"}
    return score(answered({"raw": raw, "list": WORDS}))


def test_cells(scores):
    raw, other = scores.cells.to_dict("records")
    assert (raw["n"], raw["valid"], raw["k"]) == (4, 2, 1)
    assert (raw["accuracy"], raw["accuracy_valid"]) == (0.25, 0.5)
    assert (raw["robust_valid"], raw["robust_k"]) == (3, 2)
    assert (raw["under"], raw["over"], raw["mean_difference"]) == (1, 0, -0.5)
    assert raw["completion_tokens"] == 7
    assert (other["n"], other["k"], other["accuracy"]) == (4, 4, 1)
    # Wilson's interval where all n are right: from n / (n + z^2) to 1.
    assert other["accuracy_low"] == pytest.approx(4 / (4 + 1.959964**2))


def test_signed_errors(scores):
    found = scores.differences
    assert found[found["input_format"] == "raw"][["difference", "answers"]].values.tolist() == [
        [-1, 1],
        [0, 1],
    ]


def test_comparisons(scores):
    (pair,) = scores.comparisons.to_dict("records")
    assert (pair["first"], pair["second"], pair["n"]) == ("raw", "list", 4)
    assert (pair["only_first"], pair["only_second"]) == (0, 3)
    assert pair["p_value"] == pytest.approx(2 * 0.5**3)
    assert pair["difference"] == -0.75
    assert pair["stars"] == ""


def test_breakdowns_add_up(scores):
    for frame in (scores.lengths, scores.truths):
        assert frame.groupby("input_format")["k"].sum().to_dict() == {"raw": 1, "list": 4}
    assert scores.truths["by"].drop_duplicates().tolist() == ["0", "1", "2", "3"]


def test_published_p_values():
    # Discordant answers of GPT-4o mini and Claude 3.5 Sonnet in arXiv 2410.19730's records: raw
    # against list, raw against space, space against list.
    for first, second, p_value in ((3, 514, 1.07e-148), (170, 297, 4.47e-9), (61, 85, 0.0566)):
        texts = [
            f"a{i:010b}".replace("0", "a").replace("1", "b") for i in range(first + second)
        ]
        right = {text: f"Result: {text.count('a')}" for text in texts}
        wrong = dict.fromkeys(texts, "Result: 99")
        one = right | {text: wrong[text] for text in texts[first:]}
        other = right | {text: wrong[text] for text in texts[:first]}
        (pair,) = score(answered({"raw": one, "list": other})).comparisons.to_dict("records")
        assert (pair["only_first"], pair["only_second"]) == (first, second)
        assert pair["p_value"] == pytest.approx(p_value, rel=5e-3)
        assert (pair["stars"] == "") == (p_value > 0.05)


def test_all_pairs_of_a_call_are_one_family():
    forms = {name: dict(WORDS) for name in ("raw", "comma", "list")}
    forms["raw"] = dict.fromkeys(WORDS, "Result: 9")
    scores = score(answered(forms))
    pairs = scores.comparisons
    assert len(pairs) == 3
    assert pairs["p_holm"].tolist() == holm(pairs["p_value"].tolist())
    (whole,) = scores.overall.to_dict("records")
    # Cochran's Q by its definition: three conditions, one of which solves nothing.
    assert (whole["q"], whole["degrees"]) == (pytest.approx(8.0), 2)
    assert whole["p_value"] == pytest.approx(math.exp(-4))


@pytest.mark.parametrize("name", ["results.csv", "results.jsonl", "results.parquet"])
def test_rows_in_a_file_are_scored_alike(scores, tmp_path, name):
    write_rows(scores.rows, tmp_path / name)
    again = score(read_rows([tmp_path / name]))
    assert again.as_json() == scores.as_json()


def test_strings_are_scored_by_how_far_they_are_off():
    samples = [Sample(str(i), text) for i, text in enumerate(("baab", "bbaa", "abab"))]
    rows = make_rows(Plan(tasks=("sort",), forms=("raw",)), samples)
    said = ["Result: aabb", "Result: aab", "Result: abab"]
    scores = score(rows.assign(response=said, model="m", completion_tokens=None))
    (cell,) = scores.cells.to_dict("records")
    assert (cell["n"], cell["k"], cell["same_letters"]) == (3, 1, 2)
    assert cell["mean_edit_distance"] == 1  # 0, 1 and 2
    assert scores.rows["first_wrong"].tolist() == [None, 3, 1]
    assert cell["under"] is None
    assert not len(scores.truths)


def test_questions_without_an_answer_are_left_out():
    rows = answered({"raw": WORDS})
    rows.loc[0, "response"] = None
    (cell,) = score(rows).cells.to_dict("records")
    assert (cell["n"], cell["k"], cell["unanswered"]) == (3, 3, 1)


def test_an_undercounter_is_found_out_as_often_as_promised():
    plan = Plan(number=50, forms=("raw", "comma"), targets=("a",))
    held = starred = 0
    for seed in range(16):
        scores = simulate("undercounter:0.3", plan, seed)
        raw = scores.cells.iloc[0]
        held += raw["accuracy_low"] <= 0.7 <= raw["accuracy_high"]
        assert raw["over"] <= (scores.rows["truth"] == 0).sum()
        starred += (scores.comparisons["stars"] != "").sum()
    assert held >= 14
    assert starred == 0


def test_pooled_targets_are_drawn_anew_by_string():
    plan = Plan(number=50, forms=("raw",))
    scores = simulate("undercounter:0.3", plan)
    pooled = score(scores.rows, pool=["target"])
    (cell,) = pooled.cells.to_dict("records")
    assert (cell["n"], cell["k"]) == (100, int(scores.cells["k"].sum()))
    assert cell["accuracy_low"] < cell["accuracy"] < cell["accuracy_high"]
    styles = score(scores.rows, compare_by="target")
    (pair,) = styles.comparisons.to_dict("records")
    assert (pair["first"], pair["second"], pair["n"]) == ("a", "b", 50)


def test_keys_are_those_of_the_public_study_where_each_string_is_asked_once():
    rows = make_rows(Plan(targets=("a",), forms=("list",)), [Sample("17", "ab")])
    assert rows["key"].tolist() == ["request-17"]
    many = make_rows(
        Plan(tasks=("count", "sort"), styles=("direct", "cot")), [Sample("17", "ab")]
    )
    assert many["key"].is_unique
    assert len(many) == 2 * 4 * 2 + 2 * 4
    request = requests_of(rows)[0]
    assert request.facts["formatted_truth"] == "Result: 1"
    assert [message.role for message in request.messages] == ["system", "user"]


def test_what_cannot_be_scored_is_refused():
    rows = answered({"raw": WORDS})
    with pytest.raises(CorpusError, match="no answers to score"):
        score(rows.drop(columns="response"))
    with pytest.raises(CorpusError, match="is answered twice"):
        score(rows.loc[[0, 1, 0]])
    with pytest.raises(UsageError, match="does not tell conditions apart"):
        score(rows, compare_by="weather")
    with pytest.raises(CorpusError, match="two rows have the key"):
        requests_of(rows.loc[[0, 0]])
