"""The public names of `tokkit.analysis`, and the frames that its functions return."""

import json
from types import FunctionType

import pytest

import tokkit.analysis
from tokkit.analysis import Labelled, Parallel, analyze, compare, cost, parity, view
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

BYTES = [bytes([byte]) for byte in range(256)]
ONE, OTHER = (
    Tokenizer(Vocabulary((*BYTES, *more)), LongestMatch((*BYTES, *more)))
    for more in ((b"the", b" the"), (b"th",))
)
BOTH = {"one": ONE, "other": OTHER}


def test_names_are_in_order_and_functions_are_no_modules():
    names = tokkit.analysis.__all__
    assert names == sorted(names)
    for name in names:
        kind = type if name[0].isupper() else FunctionType
        assert isinstance(getattr(tokkit.analysis, name), kind), name


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_bytes(b"the the")
    return str(path)


def test_everything_that_is_measured_is_in_frames(prompts):
    texts = {"en": [b"the", b"the the"], "de": [b"das", b"das das"]}
    found = {
        "analyze": analyze(BOTH, [Labelled(text, ()) for text in texts["en"]]),
        "compare": compare(ONE, OTHER, texts["en"]),
        "cost": cost(BOTH, [prompts]),
        "parity": parity(BOTH, Parallel(texts)),
        "view": view(b"the", BOTH),
    }
    for name, result in found.items():
        json.dumps(result.as_json())
        for frame in result.frames.values():
            assert frame.columns.is_unique, name
            assert len(frame), name
    assert found["cost"].frames["totals"]["prompt_tokens"].tolist() == [2, 5]
    tokens = found["view"].frames["tokens"]
    assert tokens[["tokenizer", "text"]].to_numpy().tolist() == [
        ["one", "the"],
        ["other", "th"],
        ["other", "e"],
    ]


def test_figures_of_a_comparison():
    figures = compare(ONE, OTHER, [b"the", b"the the"]).measures().set_index("metric")
    # Cut after: the; the| the by one, th|e and th|e| |th|e by the other.
    assert figures.loc["boundary_f1_micro", "value"] == pytest.approx(2 * 1 / (1 + 5))
    assert figures.loc["boundary_precision", "value"] == pytest.approx(1 / 5)
    assert figures.loc["boundary_recall", "value"] == 1
    assert figures.loc["token_ratio", "value"] == pytest.approx(7 / 3)
    assert figures.loc["vocabulary_jaccard", "value"] == pytest.approx(256 / 259)
    assert figures["low"].notna().sum() == 1
