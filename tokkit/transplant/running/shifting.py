"""How far to shift the logits of new tokens, so that a text has them as often as foreseen."""

import torch

from tokkit.transplant.context import Progress, silent
from tokkit.transplant.running.head import Head
from tokkit.transplant.running.positions import Positions

PRIOR = 2.0
"""How many expected occurrences a token's own shift is held back by."""
ROUNDS = 3
"""Passes over the positions for the own shifts; further ones change little."""
LIMIT = 6.0
"""The largest own shift of a token, a factor of about 400."""
FARTHEST = 12.0
"""The largest shift that all have in common."""
_NEWTON = 100
_STEP = 1.0
_ENOUGH = 1e-3


def fit_scalar(head: Head, positions: Positions, new: torch.Tensor) -> float:
    """Return the shift of all new tokens under which the positions are likeliest.

    With x the lever of a position, and A and B the exponentials of logits summed over known
    and over new tokens, ``Σ ln(A + B exp(s x)) - s x [a new token follows]`` is convex in s:
    Newton's method finds its minimum from A, B and x alone.

    Args:
        head: The head.
        positions: Places in text.
        new: Which ids are new, ``bool[ids]``.
    """
    shift = 0.0
    follows = new[positions.following].double()
    # Where logits are capped, what a shift does to them changes with it.
    for _ in range(4 if head.cap else 1):
        odds, lever = _odds(head, positions, new, shift)
        more = _minimise(odds, lever, follows)
        shift = min(max(shift + more, -FARTHEST), FARTHEST)
        if abs(more) < _ENOUGH:
            break
    return shift


def _odds(
    head: Head, positions: Positions, new: torch.Tensor, shift: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``ln B - ln A`` and the lever of each position, ``float64[n]`` both."""
    shifts = new.float() * shift
    odds, levers = [], []
    for part in head.parts(positions):
        hidden = positions.hidden[part]
        logits = head.logits(hidden, shifts)
        ours = torch.logsumexp(logits[:, new], 1) - torch.logsumexp(logits[:, ~new], 1)
        odds.append(ours.double())
        levers.append(head.lever(hidden).double())
    return torch.cat(odds), torch.cat(levers)


def _minimise(odds: torch.Tensor, lever: torch.Tensor, follows: torch.Tensor) -> float:
    """Find the best shift by Newton's method, in steps that cannot run away."""
    shift = 0.0
    for _ in range(_NEWTON):
        share = torch.sigmoid(odds + shift * lever)
        slope = float((lever * (share - follows)).sum())
        bend = float((lever * lever * share * (1 - share)).sum())
        step = min(max(-slope / max(bend, 1e-9), -_STEP), _STEP)
        shift += step
        if abs(step) < _ENOUGH / 10 or abs(shift) > FARTHEST:
            break
    return shift


def fit_tokens(
    head: Head,
    positions: Positions,
    new: torch.Tensor,
    scalar: float,
    progress: Progress = silent,
) -> torch.Tensor:
    """Return a shift for each id: the scalar, and one of its own for each new token.

    A token that is seen c times and foreseen m times (the sum of its probabilities) is
    shifted by ``ln((c + a) / (m + a))``, which is what is likeliest if occurrences are
    Poisson-distributed and the factors Gamma-distributed with shape and rate a. As that takes
    from other tokens, it is done again; each round raises the likelihood (iterative scaling:
    Darroch and Ratcliff, 1972).

    Args:
        head: The head.
        positions: Places in text.
        new: Which ids are new, ``bool[ids]``.
        scalar: What `fit_scalar` found.
        progress: Told ``("calibrating", rounds done, rounds)``.

    Returns:
        ``float32[ids]``, 0 for known tokens.
    """
    seen = torch.bincount(positions.following, minlength=len(new)).double()
    own = torch.zeros(len(new), dtype=torch.float64, device=new.device)
    for done in range(ROUNDS):
        progress("calibrating", done, ROUNDS)
        foreseen, _ = expect(head, positions, (own + scalar).float() * new)
        step = torch.log((seen + PRIOR) / (foreseen + PRIOR * torch.exp(own)))
        own = torch.where(new, (own + step).clamp(-LIMIT, LIMIT), own)
    progress("calibrating", ROUNDS, ROUNDS)
    return (own + scalar).float() * new


def expect(
    head: Head, positions: Positions, shifts: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Return how often each id is foreseen, ``float64[ids]``, and the nats per position."""
    foreseen = torch.zeros(len(shifts), dtype=torch.float64, device=shifts.device)
    nats = 0.0
    for part in head.parts(positions):
        logits = head.logits(positions.hidden[part], shifts)
        logprobs = torch.log_softmax(logits, dim=1)
        nats -= float(logprobs.gather(1, positions.following[part, None]).double().sum())
        foreseen += logprobs.exp_().sum(0, dtype=torch.float64)
    return foreseen, nats / max(len(positions), 1)
