"""Models that learn to answer, and how their answers are counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.studies.scratch.conftest import TINY
from tokkit.lm.train_model import new_model
from tokkit.lm.train_run import Run, Schedule
from tokkit.studies.scratch.addition import MATCH, MISMATCH, Addition
from tokkit.studies.scratch.asking import Asking, right_digits
from tokkit.studies.scratch.groups import Grouping

SUMS = Asking("single", Addition(Grouping("l2r", 1), digits=(1, 1), held_out_count=9))


@given(
    st.lists(
        st.tuples(st.integers(0, 12_000), st.integers(-1, 12_000)), min_size=1, max_size=20
    )
)
def test_digits_are_compared_from_the_last(pairs):
    truths, said = np.array(pairs).T
    found = right_digits(truths, said)
    longest = max(len(str(truth)) for truth, _ in pairs)
    assert list(found) == [f"digit {place}" for place in range(1, longest + 1)]
    for place, (count, right) in enumerate(found.values(), start=1):
        long = [(str(a), str(b)) for a, b in pairs if len(str(a)) >= place]
        assert count == len(long)
        # An answer that is none has no digits.
        said_there = [(a, b) for a, b in long if b != "-1" and len(b) >= place]
        assert right == sum(a[-place] == b[-place] for a, b in said_there)


def test_steps_teach_answers():
    schedule = Schedule(steps=60, batch=64, rate=1e-2, shape="constant", warm_up=0.1)
    run = Run(new_model(TINY, SUMS.vocab_size, SUMS.begins, SUMS.ends, 0), schedule, 8)
    tokens = [SUMS.advance(run) for _ in range(60)]
    assert run.losses[0] > 2.3
    # Where the answer ends and whether it begins with 1 is easy; the digits are not.
    assert run.losses[-1] < 1.6
    # a + b = and one or two digits of the answer, none of which is the last thing read.
    assert all(64 * 5 < count < 64 * 6 for count in tokens)


def test_what_a_model_says_is_told_problem_by_problem():
    source = Addition(Grouping("r2l", 2), digits=(1, 2), held_out_count=50)
    trial = Asking("r2l2", source)
    found = trial.measure(new_model(TINY, source.vocab_size, source.end, source.end, 0))
    columns = found.columns
    assert list(columns) == ["first", "second", "kind", "truth", "answer"]
    assert (columns["first"] + columns["second"] == columns["truth"]).all()
    right = columns["truth"] == columns["answer"]
    for kind in (MATCH, MISMATCH):
        mask = columns["kind"] == kind
        assert found.counts[kind] == (mask.sum(), right[mask].sum())
