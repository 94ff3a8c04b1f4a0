"""Nearest neighbours by sorting all distances."""

import math


def mix(target, atoms, count):
    """The nearest atoms, the first of equals first, and their weights."""
    distances = [math.dist(target.tolist(), atom.tolist()) for atom in atoms]
    chosen = sorted(range(len(atoms)), key=lambda i: (distances[i], i))[:count]
    weights = [1 / max(distances[i], 1e-6) for i in chosen]
    return chosen, [weight / math.fsum(weights) for weight in weights]
