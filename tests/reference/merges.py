"""Merges learned by counting every pair again after every merge."""

import itertools


def merge_word(word, pair, merged):
    """Join a pair, left to right: ``merge_word([1, 1, 1], (1, 1), 2)`` is ``[2, 1]``."""
    out = []
    for token in word:
        if len(out) > 0 and not out[-1][1] and (out[-1][0], token) == pair:
            out[-1] = (merged, True)
        else:
            out.append((token, False))
    return [token for token, _ in out]


def windows(word):
    """Adjacent pairs: ``windows([1, 2, 3])`` is ``[(1, 2), (2, 3)]``."""
    return list(itertools.pairwise(word))


def count_pairs(words):
    """How often each pair occurs in ``[(ids, count)]``, overlaps included."""
    totals = {}
    for word, count in words:
        for pair in windows(word):
            totals[pair] = totals.get(pair, 0) + count
    return totals


def learn_merges(
    words,
    tokens,
    vocab_size,
    min_count=1,
    may_join=lambda left, right: True,
    reserved=(),
    earlier=(),
):
    """Learn merges of ``[(ids, count)]``: tokens, merges as (left, right, merged), and words.

    A pair that was merged before and is back is merged first, by its rank.
    """
    words, tokens = list(words), list(tokens)
    ranks = {(left, right): rank for rank, (left, right, _) in enumerate(earlier)}
    merges = []
    while len(tokens) < vocab_size:
        totals = {
            pair: count
            for pair, count in count_pairs(words).items()
            if may_join(tokens[pair[0]], tokens[pair[1]])
            and tokens[pair[0]] + tokens[pair[1]] not in reserved
            and (count >= min_count or pair in ranks)
        }
        if not totals:
            break
        back = totals.keys() & ranks.keys()
        if back:
            pair = min(back, key=ranks.__getitem__)
        else:
            pair = min(totals, key=lambda pair: (-totals[pair], pair))
        spelling = tokens[pair[0]] + tokens[pair[1]]
        if spelling not in tokens:
            tokens.append(spelling)
        merged = tokens.index(spelling)
        words = [(merge_word(word, pair, merged), count) for word, count in words]
        if pair not in ranks:
            ranks[pair] = len(ranks)
            merges.append((*pair, merged))
    return tokens, merges, words
