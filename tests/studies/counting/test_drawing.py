"""The strings of a study."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.counting.drawing import draw_shares, draw_strings, published_strings
from tokkit.studies.counting.plan import ZHANG2024, ZHANG2024_STRINGS, Plan
from tokkit.studies.counting.samples import draw_samples, plan_of, read_samples

# SHA-256 of the sorted strings of counting/datasets/count_dataset_*.jsonl in the repository of
# arXiv 2410.19730 (c453e48), joined by line feeds: the first 16 digits.
PUBLISHED = {
    ("ab", 10): "c60b018e0fd0e4b9",
    ("ez", 10): "312050ff2aa8441f",
    ("ab", 20): "90c6e83c33251b0e",
    ("ez", 20): "76141bec61078071",
    ("ab", 30): "c4253afdd4763d99",
    ("ez", 30): "84e6125daf1c96cc",
    ("abez", 30): "0604b20ff8e8fa5f",
    ("abez", 60): "e54f4b892ffa1597",
    ("rbez", 60): "17cfe6eac12ef17c",
    ("rbez", 80): "b03fae2fc621190f",
    ("tdpq", 80): "436da4ebf4e031bd",
}


@pytest.mark.parametrize(("letters", "lengths"), ZHANG2024_STRINGS)
def test_published_strings_are_reproduced(letters, lengths):
    strings = published_strings(letters, lengths)
    digest = hashlib.sha256("\n".join(sorted(strings)).encode()).hexdigest()
    assert digest[:16] == PUBLISHED[letters, lengths[0]]


def test_some_published_strings_by_eye():
    # The first ones of two published files.
    assert {"abbaaaaaaabbaaaa", "aabbababbba"} <= set(published_strings("ab", (10, 20)))
    assert "zeezeezezeeezeezeeezzezzzzeze" in published_strings("ez", (20, 30))


def test_the_preset_draws_them():
    samples = draw_samples(ZHANG2024.change(letters="ez", lengths=(20, 30)))
    assert [sample.text for sample in samples] == published_strings("ez", (20, 30))
    assert [sample.id for sample in samples[:2]] == ["0", "1"]


@given(st.integers(0, 5), st.sampled_from(["ab", "xyz", "éü中"]), st.booleans())
def test_strings_are_different_and_as_asked_for(seed, letters, balanced):
    strings = draw_strings(
        letters,
        range(5, 9),
        30,
        generator=np.random.default_rng(seed),
        focus=letters[:1] if balanced else "",
    )
    assert len(set(strings)) == len(strings) == 30
    assert {len(string) for string in strings} <= set(range(5, 9))
    assert set("".join(strings)) <= set(letters)


def test_the_same_seed_draws_the_same_strings():
    plans = [Plan(seed=3), Plan(seed=3), Plan(seed=4)]
    first, second, other = (draw_samples(plan) for plan in plans)
    assert first == second != other


@pytest.mark.parametrize("letters", ["ab", "abcdef"])
def test_numbers_of_a_balanced_letter_are_equally_frequent(letters):
    # A share drawn evenly from 0 to 1 makes each number from 0 to 9 as likely as any other.
    generator = np.random.default_rng(1)
    shares = draw_shares(letters, 20_000, generator=generator, focus="b")
    counts = Counter(generator.binomial(9, shares[:, letters.index("b")]).tolist())
    assert sorted(counts) == list(range(10))
    assert all(abs(counts[number] - 2000) < 5 * 2000**0.5 for number in counts)
    assert shares.sum(1) == pytest.approx(1)


def test_independent_letters_are_equally_likely():
    assert (
        draw_shares("abcd", 3, generator=np.random.default_rng(0)).tolist() == [[0.25] * 4] * 3
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"letters": "aa"}, "two or more different"),
        ({"letters": "a,"}, "between letters"),
        ({"targets": ("c",)}, "cannot count 'c'"),
        ({"targets": ("",)}, "cannot count ''"),
        ({"lengths": (5, 4)}, "5 to 4 letters"),
        ({"letters_per_token": (2,), "draw": "published"}, "published strings"),
    ],
)
def test_what_cannot_be_asked_is_refused(change, reason):
    with pytest.raises(UsageError, match=reason):
        Plan(**change)


def test_more_strings_than_there_are_cannot_be_drawn(monkeypatch):
    with pytest.raises(UsageError, match="only 12 different strings of 'ab' with 2 to 3"):
        published_strings("ab", (2, 3), 13)
    everything = draw_samples(Plan(lengths=(2, 3), number=12, draw="independent"))
    assert len({sample.text for sample in everything}) == 12
    monkeypatch.setattr("tokkit.studies.counting.drawing._MOST_DRAWS", 1)
    with pytest.raises(UsageError, match="different strings were found of 1000"):
        draw_samples(Plan(lengths=(10, 10), number=1000))


def test_strings_are_read_with_their_ids(tmp_path):
    published = tmp_path / "count_dataset_2_3_ab.jsonl"
    published.write_text('{"id": 7, "sample": "ab", "a": 1}\n\n{"id": 3, "sample": "bba"}\n')
    assert [tuple(each) for each in read_samples(published)] == [
        ("7", "ab", None),
        ("3", "bba", None),
    ]
    plain = tmp_path / "strings.txt"
    plain.write_text("cd\ncdc\n")
    plan = plan_of(read_samples(plain), Plan())
    assert (plan.letters, plan.lengths, plan.number) == ("cd", (2, 3), 2)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", '{"id": 1}', "line 1: not a record"),
        ("a.jsonl", '{"id": 1, "sample": 5}', "no string"),
        ("a.jsonl", '{"id": 1, "sample": "a"}\n' * 2, "two strings have the id '1'"),
        ("a.jsonl", "{oops", "line 1"),
        ("a.txt", "a, b", "more than letters"),
        ("a.txt", "\n", "has no strings"),
    ],
)
def test_bad_strings_are_refused(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(CorpusError, match=reason):
        read_samples(path)


def test_a_preset_takes_its_own_strings_in_any_order_and_no_others(tmp_path):
    path = tmp_path / "strings.txt"
    strings = published_strings("ab", (10, 20), 40)
    path.write_text("\n".join(reversed(strings)))
    plan = plan_of(read_samples(path), ZHANG2024)
    assert (plan.letters, plan.number) == ("ab", 40)
    path.write_text("\n".join([*strings[1:], "a" * 15]))
    with pytest.raises(UsageError, match="not the 40 strings that zhang2024 has"):
        plan_of(read_samples(path), ZHANG2024)
