"""The study: figures measured before, by other code, and what its folder has."""

import json
import math
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from tokkit.errors import UsageError
from tokkit.studies.markov.folder import run_study
from tokkit.studies.markov.measuring import study
from tokkit.studies.markov.plan import SIZES, Plan
from tokkit.studies.markov.sources import random_source, switching

# Of an independent implementation: byte-pair encoding of a million characters, single tokens
# with 0.5 added to each count, nats per character of 200,000 others.
MEASURED_BEFORE = (0.6589, 0.6635, 0.6488, 0.6198, 0.5991, 0.58, 0.5735, 0.571, 0.5691)
SMALL = Plan(sizes=(4, 16), training=20_000, held_out=5000, seeds=3)


@pytest.fixture(scope="module")
def small():
    return study(switching(2, 0.2, 0.3), SMALL)


def test_losses_are_those_that_were_measured_before():
    plan = Plan(dictionaries=("bpe",), ngram=1)
    found = study(switching(2, 0.2, 0.3), plan).mean_losses("unigram")
    assert [size for _, size in found] == list(SIZES)
    losses = [interval.value for interval in found.values()]
    np.testing.assert_allclose(losses, MEASURED_BEFORE, atol=0.008)


def test_single_tokens_come_near_the_entropy_rate_and_never_below():
    source = switching(2, 0.8, 0.8)
    plan = Plan(dictionaries=("bpe",), sizes=(4, 256), ngram=1, seed=1)
    found = study(source, plan).mean_losses("unigram")
    assert found["bpe", 4].value >= source.entropy_rate - 0.002
    assert source.entropy_rate - 0.002 <= found["bpe", 256].value <= 0.535


def test_characters_lose_their_entropy_and_pairs_of_tokens_little_more_than_the_least(small):
    source = small.source
    single, pairs = small.mean_losses("unigram"), small.mean_losses("ngram")
    assert single["characters", 2].value == pytest.approx(source.bound(0), abs=0.01)
    assert pairs["characters", 2].value == pytest.approx(source.bound(1), abs=0.01)
    assert pairs["bpe", 16].value == pytest.approx(source.entropy_rate, abs=0.015)
    assert all(interval.low < interval.value < interval.high for interval in single.values())


def test_there_is_a_line_for_every_dictionary_size_and_seed(small):
    frame = small.frame()
    assert len(frame) == 3 * (1 + 2 + 2 + 2)
    assert not frame.duplicated(["dictionary", "size", "seed"]).any()
    assert (frame["characters_per_token"] >= 1).all()
    assert (frame["window_nearly_all"] <= frame["window_half"]).all()
    assert set(frame[frame["theorem_bound"].notna()]["dictionary"]) == {"lzw"}
    assert small.curves().empty


def test_seeds_are_texts_of_their_own_and_alone_say_the_same(small):
    second = study(small.source, Plan(**{**vars(SMALL), "seeds": 1, "seed": 1}))
    assert second.losses == [loss for loss in small.losses if loss.seed == 1]
    assert len({loss.unigram for loss in small.losses if loss.dictionary == "bpe"}) == 6


def test_the_source_itself_loses_what_it_happens_to(small):
    assert len(small.own) == 3
    assert small.own == [
        small.source.loss(small.source.draw(5000, 2 * seed + 1)) for seed in range(3)
    ]


def test_other_alphabets_work():
    source = random_source(2, 5, 0)
    plan = Plan(sizes=(8, 32), training=20_000, held_out=5000)
    single = study(source, plan).mean_losses("unigram")
    assert single["characters", 5].value == pytest.approx(source.bound(0), abs=0.02)
    assert source.entropy_rate < single["bpe", 32].value < single["characters", 5].value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": (2, 8)}, "2 tokens cannot stand for 3 characters"),
        ({"sizes": (8, 300), "training": 200}, "200 characters cannot fill"),
        ({"sizes": ()}, "at least one dictionary"),
        ({"dictionaries": ()}, "at least one dictionary"),
        ({"seeds": 0}, "start at 1"),
        ({"held_out": 99}, "held-out characters at 100"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        study(random_source(1, 3, 0), Plan(**changes))


def test_the_folder_has_every_figure_and_is_the_same_again(small, tmp_path):
    for name in ("one", "two"):
        run_study(small.source, SMALL, tmp_path / name, command=["tokkit"])
    files = ["curves.csv", "losses.csv", "summary.json"]
    for name in files:
        content = (tmp_path / "one" / name).read_bytes()
        assert content == (tmp_path / "two" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == files
    frame = pd.read_csv(tmp_path / "one" / "losses.csv")
    pd.testing.assert_frame_equal(frame, small.frame(), check_dtype=False)
    summary = json.loads((tmp_path / "one" / "summary.json").read_bytes())
    assert summary["study"] == "markov"
    assert summary["command"] == ["tokkit"]
    assert summary["entropy_rate"] == pytest.approx(0.5446, abs=5e-5)
    assert summary["bounds"].keys() == {"0", "1", "2"}
    assert len(summary["losses"]) == len(frame)
    means = {(each["dictionary"], each["size"]): each["unigram"] for each in summary["means"]}
    assert means["bpe", 16]["value"] == small.mean_losses("unigram")["bpe", 16].value


def test_a_study_is_not_replaced_unasked(small, tmp_path):
    run_study(small.source, SMALL, tmp_path)
    with pytest.raises(UsageError, match="--force"):
        run_study(small.source, SMALL, tmp_path)
    (tmp_path / "mine.txt").write_text("x")
    run_study(small.source, SMALL, tmp_path, force=True)
    assert (tmp_path / "mine.txt").exists()


def test_what_is_no_study_is_not_replaced(small, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    for force in (False, True):
        with pytest.raises(UsageError):
            run_study(small.source, SMALL, tmp_path, force=force)


def test_what_is_shown_fits_a_terminal(small):
    from rich.console import Console

    console = Console(width=80, record=True, file=StringIO())
    console.print(small)
    text = console.export_text()
    assert "entropy rate" in text
    assert "arXiv 2404.08335" in text
    assert "…" not in text


def test_what_the_theorem_does_not_say_is_no_number_in_json(small):
    bounds = [loss["theorem_bound"] for loss in small.as_json()["losses"]]
    assert all(bound is None or math.isfinite(bound) for bound in bounds)
    json.dumps(small.as_json(), allow_nan=False)
