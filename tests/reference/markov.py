"""Markov chains, said as simply as possible."""

from itertools import product
from math import log


def draw_symbols(chances, matrix, order, before):
    """Draw symbols from the rows of `matrix` (lists), after the symbols `before`."""
    size = len(matrix[0])
    contexts = list(product(range(size), repeat=order))
    symbols = list(before)
    for chance in chances:
        row = matrix[contexts.index(tuple(symbols[len(symbols) - order :]))]
        reached = 0.0
        for symbol in range(size):
            reached += row[symbol]
            if chance < reached:
                break
        symbols.append(symbol)
    return symbols[len(before) :]


def chances_of_texts(matrix, order, length, stationary):
    """Return the probability of every text of `length` symbols, at least `order`."""
    size = len(matrix[0])
    number = {context: i for i, context in enumerate(product(range(size), repeat=order))}
    found = {}
    for text in product(range(size), repeat=length):
        chance = stationary[number[text[:order]]]
        for place in range(order, length):
            chance *= matrix[number[text[place - order : place]]][text[place]]
        found[text] = chance
    return found


def entropy(chances):
    """Return the entropy of a distribution, in nats."""
    return -sum(chance * log(chance) for chance in chances if chance > 0)
