"""Tasks, forms and prompts."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.studies.counting.forms import FORMS
from tokkit.studies.counting.prompts import PROMPTS, STYLES, write_prompt
from tokkit.studies.counting.tasks import TASKS, count_places, overlaps_itself, solve

TEXTS = st.text("abc", max_size=12)
# SHA-256 of counting/prompts/count*.txt in the repository of arXiv 2410.19730 (c453e48):
# without white space around them, with what is counted and the string as placeholders.
PUBLISHED = {
    "direct": "c5e27012ce3fbec8049ee36698e1545070ee46c8334398469a1a388688e1cbfa",
    "cot": "299a34ce2f0552d2ff3554b3a0df659ed56b22a37d93f30f09a247c13e7abd75",
    "supervise": "6a2aa5fe98d809ee7906ca37f3ff6053a21d8a0ac6fa2a7df59824f26f51bdf9",
}


@pytest.mark.parametrize("style", STYLES)
def test_prompts_for_counting_are_the_published_ones(style):
    text = write_prompt("count", style, "raw", "{sample}", "{substring}")
    assert hashlib.sha256(text.encode()).hexdigest() == PUBLISHED[style]


def test_there_is_a_prompt_for_everything_that_names_the_result():
    assert set(PROMPTS) == {(task, style) for task in TASKS for style in STYLES}
    for task, style in PROMPTS:
        prompt = write_prompt(task, style, "comma", "abb", "b")
        assert "'Result: '" in prompt
        assert "String: a, b, b\n" in prompt
        assert "{" not in prompt


def test_forms_are_as_published():
    # The README of arXiv 2410.19730's repository shows these, but quotes where its code has a
    # list of Python's.
    written = {name: form.write("abbab") for name, form in FORMS.items()}
    assert written == {
        "raw": "abbab",
        "comma": "a, b, b, a, b",
        "list": str(list("abbab")),
        "quotes": '"a", "b", "b", "a", "b"',
        "space": "a b b a b",
        "newline": "a\nb\nb\na\nb",
    }


@given(TEXTS, st.text("abc", min_size=1, max_size=3))
def test_a_target_is_as_often_in_any_form_as_in_the_string(text, target):
    for form in FORMS.values():
        part = form.write_part(target)
        found = count_places(form.write(text), part) if len(target) > 1 else None
        assert found in (None, count_places(text, target))


@given(TEXTS, st.text("abc", min_size=1, max_size=3))
def test_counting_looks_at_every_place(text, target):
    places = [i for i in range(len(text)) if text[i : i + len(target)] == target]
    assert solve("count", text, target) == len(places)
    if not overlaps_itself(target):
        assert len(places) == text.count(target)


def test_a_target_that_overlaps_itself_is_explained():
    assert "They may overlap." in write_prompt("count", "direct", "raw", "aaa", "aa")
    assert "overlap" not in write_prompt("count", "direct", "raw", "aba", "ab")
    assert solve("count", "aaa", "aa") == 2


@given(TEXTS)
def test_sorting_and_reversing(text):
    assert solve("sort", text) == "a" * text.count("a") + "b" * text.count(
        "b"
    ) + "c" * text.count("c")
    assert solve("reverse", text) == "".join(text[-1 - i] for i in range(len(text)))
