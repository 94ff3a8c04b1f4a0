"""Orthogonal matching pursuit through the Gram matrix of the atoms.

With ``gram[i, j] = <d_i, d_j>`` and ``gains[t, i] = <x_t, d_i>`` the correlations of a residual
are ``gains[t] - sum_j c_j gram[s_j]``: a step costs as many operations as there are atoms times
those chosen so far, however many dimensions the atoms have.

Correlations are float32, and walked in stretches that stay in the nearest cache; the Cholesky
factor and the coefficients are float64.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets, kernel

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

STRETCH = 2048
"""How many atoms are looked at together."""
SILENCE = 1e-5
"""A residual that correlates less than this, relative to the target, counts as zero."""
DEPENDENT = 1e-6
"""An atom counts as spanned by others if less of its squared norm is left than this."""
_MAGNITUDE = np.int32(0x7FFFFFFF)


@kernel
def _correlate(
    gram: Singles,
    gains: Singles,
    chosen: Ids,
    weights: Floats,
    count: int,
    start: int,
    residual: Singles,
) -> None:
    """Fill `residual` with the correlations of the atoms from `start` on."""
    width = residual.size
    residual[:] = gains[start : start + width]
    place = 0
    while place + 4 <= count:
        first = gram[chosen[place], start : start + width]
        second = gram[chosen[place + 1], start : start + width]
        third = gram[chosen[place + 2], start : start + width]
        fourth = gram[chosen[place + 3], start : start + width]
        a = np.float32(weights[place])
        b = np.float32(weights[place + 1])
        c = np.float32(weights[place + 2])
        d = np.float32(weights[place + 3])
        for i in range(width):
            residual[i] -= (a * first[i] + b * second[i]) + (c * third[i] + d * fourth[i])
        place += 4
    while place < count:
        last = gram[chosen[place], start : start + width]
        a = np.float32(weights[place])
        for i in range(width):
            residual[i] -= a * last[i]
        place += 1
    for place in range(count):
        own = chosen[place] - start
        if 0 <= own < width:
            residual[own] = 0


@kernel
def _find_best(
    gram: Singles, gains: Singles, chosen: Ids, weights: Floats, count: int, found: Singles
) -> int:
    """Return the first atom that correlates most with the residual; how much goes to `found`.

    Absolute values of floats are in the order of their bits read as integers, whose maximum
    the compiler finds many at a time.
    """
    best = 0
    where = -1
    buffer = np.empty(min(STRETCH, gains.size), dtype=np.float32)
    for start in range(0, gains.size, STRETCH):
        residual = buffer[: min(STRETCH, gains.size - start)]
        _correlate(gram, gains, chosen, weights, count, start, residual)
        bits = residual.view(np.int32)
        top = np.int32(0)
        for i in range(bits.size):
            top = max(top, bits[i] & _MAGNITUDE)
        if top > best:
            best = top
            for i in range(bits.size):
                if bits[i] & _MAGNITUDE == top:
                    where = start + i
                    found[0] = abs(residual[i])
                    break
    return where


@kernel
def _extend(gram: Singles, chosen: Ids, count: int, atom: int, lower: Floats) -> bool:
    """Add an atom to the Cholesky factor of those chosen; False if they span it."""
    square = np.float64(gram[atom, atom])
    left = square
    for j in range(count):
        value = np.float64(gram[atom, chosen[j]])
        for i in range(j):
            value -= lower[count, i] * lower[j, i]
        value /= lower[j, j]
        lower[count, j] = value
        left -= value * value
    if left <= DEPENDENT * square:
        return False
    lower[count, count] = np.sqrt(left)
    return True


@kernel
def _solve(lower: Floats, count: int, right: Floats, solution: Floats) -> None:
    """Solve ``lower @ lower.T @ solution = right``."""
    for j in range(count):
        value = right[j]
        for i in range(j):
            value -= lower[j, i] * solution[i]
        solution[j] = value / lower[j, j]
    for j in range(count - 1, -1, -1):
        value = solution[j]
        for i in range(j + 1, count):
            value -= lower[i, j] * solution[i]
        solution[j] = value / lower[j, j]


@kernel
def _pursue_one(
    gram: Singles, gains: Singles, chosen: Ids, weights: Floats, lower: Floats
) -> int:
    """Choose atoms for one target, and return how many."""
    right = np.zeros(chosen.size)
    found = np.zeros(1, dtype=np.float32)
    threshold = 0.0
    count = 0
    while count < chosen.size:
        atom = _find_best(gram, gains, chosen, weights, count, found)
        if atom < 0 or found[0] <= threshold:
            break
        if count == 0:
            threshold = SILENCE * np.float64(found[0])
        if not _extend(gram, chosen, count, atom, lower):
            break
        chosen[count] = atom
        right[count] = gains[atom]
        count += 1
        _solve(lower, count, right, weights)
    return count


@kernel
def _refine(
    atoms: Singles, target: Singles, chosen: Ids, count: int, lower: Floats, weights: Floats
) -> float:
    """Correct coefficients by what they leave of the target; return the norm of that."""
    residual = target.astype(np.float64)
    for j in range(count):
        atom = atoms[chosen[j]]
        for i in range(residual.size):
            residual[i] -= weights[j] * atom[i]
    right = np.zeros(count)
    for j in range(count):
        atom = atoms[chosen[j]]
        for i in range(residual.size):
            right[j] += residual[i] * atom[i]
    change = np.zeros(count)
    _solve(lower, count, right, change)
    total = 0.0
    for i in range(residual.size):
        total += residual[i] * residual[i]
    weights[:count] += change
    return np.sqrt(total)


@kernel
def pursue(
    gram: Singles,
    gains: Singles,
    atoms: Singles,
    targets: Singles,
    chosen: Ids,
    weights: Floats,
    counts: Offsets,
    errors: Floats,
) -> None:
    """Approximate targets by few atoms each.

    A target gets fewer than ``k`` when the residual vanishes (`SILENCE`) or the best atom is
    spanned by those it has (`DEPENDENT`).

    Args:
        gram: Inner products of the atoms, ``float32[N, N]``, symmetric.
        gains: Of each target with the atoms, ``float32[B, N]``.
        atoms: ``float32[N, d]``.
        targets: ``float32[B, d]``.
        chosen: Filled: the atoms of each target in the order of choice, ``int32[B, k]``.
        weights: Filled: their coefficients by least squares, ``float64[B, k]``, 0 from the
            count on.
        counts: Filled: how many there are, ``int64[B]``.
        errors: Filled: the norm of what is left, ``float64[B]``.
    """
    lower = np.zeros((chosen.shape[1], chosen.shape[1]))
    for number in range(counts.size):
        weights[number] = 0
        count = _pursue_one(gram, gains[number], chosen[number], weights[number], lower)
        counts[number] = count
        errors[number] = _refine(
            atoms, targets[number], chosen[number], count, lower, weights[number]
        )
