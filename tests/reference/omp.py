"""Orthogonal matching pursuit by a least squares problem per step."""

import numpy as np

SILENCE = 1e-5


def pursue(target, atoms, most):
    """Chosen atoms and their coefficients, in the order of choice, in float64."""
    target, atoms = target.astype(np.float64), atoms.astype(np.float64)
    chosen, weights = [], np.zeros(0)
    first = np.abs(atoms @ target).max(initial=0)
    while len(chosen) < most:
        residual = target - weights @ atoms[chosen] if chosen else target
        gains = np.abs(atoms @ residual)
        gains[chosen] = -1
        best = int(np.argmax(gains))
        if gains[best] <= SILENCE * first:
            break
        chosen.append(best)
        weights = np.linalg.lstsq(atoms[chosen].T, target, rcond=None)[0]
    return chosen, weights


def margin(target, atoms, most):
    """How far, relatively, the chosen atom was ahead of the next at the closest step."""
    chosen, _ = pursue(target, atoms, most)
    target, atoms = target.astype(np.float64), atoms.astype(np.float64)
    closest = 1.0
    for count in range(len(chosen)):
        own = atoms[chosen[:count]]
        residual = target
        if count:
            residual = target - np.linalg.lstsq(own.T, target, rcond=None)[0] @ own
        gains = np.sort(np.abs(np.delete(atoms, chosen[:count], axis=0) @ residual))
        if gains.size > 1:
            closest = min(closest, 1 - gains[-2] / gains[-1])
    return closest
