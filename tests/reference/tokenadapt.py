"""TokenAdapt (arXiv 2505.09738), literally: one token at a time, lists and dictionaries."""

import math
from collections import defaultdict


def softmax(values):
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def cosine(left, right):
    product = sum(float(a) * float(b) for a, b in zip(left, right, strict=True))
    lengths = math.hypot(*map(float, left)) * math.hypot(*map(float, right))
    return product / lengths if lengths else 0.0


def readable(token):
    try:
        return token.decode() or None
    except UnicodeDecodeError:
        return None


def local(token, pieces, embed, temperature):
    """The weight of each piece, by the similarity of texts and their lengths in characters."""
    text, texts = readable(token), [readable(piece) for piece in pieces]
    if text is not None and None not in texts:
        similar = softmax([cosine(embed(text), embed(piece)) for piece in texts])
        lengths = [len(piece) / len(text) for piece in texts]
        combined = [(a + b) / 2 for a, b in zip(similar, lengths, strict=True)]
        return softmax([c / (temperature + 1e-5) for c in combined])
    lengths = [len(piece) / len(token) if token else 0.0 for piece in pieces]
    if text is None:
        return softmax([length / (temperature + 1e-5) for length in lengths])
    # Pieces without text have an even share; those with text divide the rest by similarity.
    similar = [1 / len(pieces)] * len(pieces)
    known = [place for place, piece in enumerate(texts) if piece is not None]
    if known:
        shares = softmax([cosine(embed(text), embed(texts[place])) for place in known])
        for place, share in zip(known, shares, strict=True):
            similar[place] = share * len(known) / len(pieces)
    combined = [(a + b) / 2 for a, b in zip(similar, lengths, strict=True)]
    return softmax([c / (temperature + 1e-5) for c in combined])


def neighbours(token, source, embed, settings):
    """Source tokens and weights: the nearest few, less those that are not similar enough."""
    text = readable(token)
    found = {
        number: cosine(embed(text), embed(readable(other)))
        for number, other in source.items()
        if text is not None and readable(other) is not None
    }
    nearest = sorted(found, key=lambda number: (-found[number], number))[: settings.top_k]
    if not nearest:
        return {}
    weights = softmax([found[number] / (settings.temperature + 1e-5) for number in nearest])
    kept = {
        number: weight
        for number, weight in zip(nearest, weights, strict=True)
        if found[number] >= settings.threshold
    }
    total = sum(kept.values())
    return {number: weight / total for number, weight in kept.items()} if total else {}


def row(token, piece_ids, tokens, used, embed, settings):
    """The weight of each source token in the row of a new one; empty: nothing is known."""
    share = settings.global_weight
    near = neighbours(token, {i: tokens[i] for i in used}, embed, settings) if share > 0 else {}
    own = defaultdict(float)
    if share < 1 and piece_ids:
        weights = local(token, [tokens[i] for i in piece_ids], embed, settings.temperature)
        for piece, weight in zip(piece_ids, weights, strict=True):
            own[piece] += weight
    if not own or not near:
        return dict(own or near)
    mixed = defaultdict(float)
    for number, weight in own.items():
        mixed[number] += (1 - share) * weight
    for number, weight in near.items():
        mixed[number] += share * weight
    return dict(mixed)
