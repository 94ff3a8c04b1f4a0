"""How far a string is from the one that was asked for."""

from collections import Counter


def edit_distance(first: str, second: str) -> int:
    """Count the fewest letters to insert, leave out or replace to make one the other.

    Bit by bit in parallel (Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau
    edit distances", Nordic J. Computing 10, 2003).

    Example: ``"abba"`` and ``"aba"`` are 1 apart.
    """
    if not first:
        return len(second)
    places: dict[str, int] = {}
    for place, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | 1 << place
    every, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    more, less, distance = every, 0, len(first)
    for letter in second:
        equal = places.get(letter, 0) | less
        same = (((equal & more) + more) ^ more) | equal
        rises, falls = less | ~(same | more), more & same
        distance += bool(rises & last) - bool(falls & last)
        rises = rises << 1 | 1
        more, less = (falls << 1 | ~(same | rises)) & every, rises & same & every
    return distance


def same_letters(first: str, second: str) -> bool:
    """Tell whether two strings have the same letters, in whatever order."""
    return Counter(first) == Counter(second)


def first_difference(first: str, second: str) -> int | None:
    """Return the first place where two strings differ, from 0; None if they are equal."""
    if first == second:
        return None
    shorter = min(len(first), len(second))
    return next((i for i in range(shorter) if first[i] != second[i]), shorter)
