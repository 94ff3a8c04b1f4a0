"""FOCUS from its formulas, one token at a time (arXiv 2305.14481; sparsemax: 1602.02068)."""

import math


def cosine(first, second):
    product = math.fsum(a * b for a, b in zip(first, second, strict=True))
    lengths = [math.sqrt(math.fsum(a * a for a in each)) for each in (first, second)]
    return product / (lengths[0] * lengths[1])


def sparsemax(scores):
    """Algorithm 1 of the paper: sort, find the support, subtract the threshold."""
    ordered = sorted(scores, reverse=True)
    support = max(
        k for k in range(1, len(scores) + 1) if 1 + k * ordered[k - 1] > math.fsum(ordered[:k])
    )
    threshold = (math.fsum(ordered[:support]) - 1) / support
    return [max(score - threshold, 0.0) for score in scores]


def focus(vectors, known, matches, shared, new):
    """For each new token its weights by source id; None where it has no vector."""
    anchors = [token for token in shared if known[token] and any(vectors[token])]
    rows = []
    for token in new:
        if not anchors or not known[token] or not any(vectors[token]):
            rows.append(None)
            continue
        weights = sparsemax([cosine(vectors[token], vectors[each]) for each in anchors])
        row = {}
        for each, weight in zip(anchors, weights, strict=True):
            row[matches[each]] = row.get(matches[each], 0.0) + weight
        rows.append(row)
    return rows
