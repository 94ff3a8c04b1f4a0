"""Losses of numbers small enough to be reckoned by hand."""

import math

import pytest

torch = pytest.importorskip("torch")

from tokkit.hypernet.losses import (  # noqa: E402
    IGNORED,
    identity_loss,
    language_loss,
    lexical_loss,
)

OWN = torch.tensor([[3.0, 4.0], [0.0, 5.0]])  # both 25 in square
MADE = torch.tensor([[3.0, 2.0], [1.0, 5.0]])  # off by 4 and 1 in square


def test_the_lexical_loss_is_relative_to_the_length_of_rows():
    assert float(lexical_loss([MADE], [OWN])) == pytest.approx((4 + 1) / 2 / 25)


def test_the_lexical_loss_is_a_mean_over_the_sides():
    both = lexical_loss([MADE, OWN], [OWN, OWN])
    assert float(both) == pytest.approx((4 + 1) / 2 / 25 / 2)


def test_the_column_of_the_bias_does_not_count():
    wider = torch.cat([MADE, torch.tensor([[100.0], [-100.0]])], dim=1)
    assert float(lexical_loss([wider], [OWN])) == pytest.approx((4 + 1) / 2 / 25)
    assert float(identity_loss([wider], [OWN])) == pytest.approx((4 + 1) / 2)


def test_the_identity_loss_adds_the_sides_up():
    assert float(identity_loss([MADE, MADE], [OWN, OWN])) == pytest.approx(5.0)


def test_the_language_loss_leaves_places_out():
    # The chances are 1/4 and 3/4 at the first place; at the third 1/2 each.
    logits = torch.tensor([[[0.0, math.log(3)], [9.0, 0.0], [1.0, 1.0]]])
    wanted = torch.tensor([[0, IGNORED, 1]])
    found = float(language_loss(logits, wanted))
    assert found == pytest.approx(math.log(4) + math.log(2))


def test_nothing_to_foretell_costs_nothing():
    logits = torch.zeros(1, 2, 2, requires_grad=True)
    loss = language_loss(logits, torch.full((1, 2), IGNORED))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_the_gradient_of_the_lexical_loss_by_hand():
    made = MADE.clone().requires_grad_()
    lexical_loss([made], [OWN]).backward()
    # d/dm of (m - o)^2 / 2 rows / 25
    torch.testing.assert_close(made.grad, 2 * (MADE - OWN) / 2 / 25)
