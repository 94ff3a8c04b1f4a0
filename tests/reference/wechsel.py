"""WECHSEL from its formulas, one token at a time (NAACL 2022, 2022.naacl-main.293)."""

import math

from tests.reference.focus import cosine


def token_vector(token, cuts, counts, vectors):
    """The mean of the words that have a token among what they are cut into; None: no word."""
    words = [word for word, cut in enumerate(cuts) if token in cut]
    total = sum(counts[word] for word in words)
    if not total:
        return None
    return [
        math.fsum(counts[word] * vectors[word][i] for word in words) / total
        for i in range(len(vectors[0]))
    ]


def neighbours(vector, source, count, temperature=0.1):
    """The source tokens nearest to a vector, and the softmax of their cosines."""
    known = [token for token, each in enumerate(source) if any(each)]
    similar = {token: cosine(vector, source[token]) for token in known}
    best = sorted(known, key=lambda token: (-round(similar[token], 12), token))[:count]
    shares = [math.exp(similar[token] / temperature) for token in best]
    return {token: share / sum(shares) for token, share in zip(best, shares, strict=True)}
