"""Models so small that they are trained while a test waits."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokkit.lm.train_model import Architecture  # noqa: E402
from tokkit.studies.scratch.plan import PLANS  # noqa: E402

TINY = Architecture(family="gpt2", hidden_size=16, layers=1, heads=2, context=16, tied=True)


@pytest.fixture(autouse=True)
def _one_thread():
    """Several threads take longer for models this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def plan():
    """A study of a second: two tokenizations, two seeds, few steps."""
    return replace(
        PLANS["addition"],
        architecture=TINY,
        tokenizations=("single", "l2r2"),
        seeds=2,
        steps=10,
        every=4,
        batch=8,
        sizes=(1, 3),
        held_out=40,
    )
