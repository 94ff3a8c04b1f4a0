"""Which token each digit of a written number is in."""

import re
from collections.abc import Callable
from typing import NamedTuple

from tokkit.errors import TokkitError
from tokkit.tokenizer import Tokenizer


class Place(NamedTuple):
    """Where a digit is.

    Attributes:
        token: The number of its token, from 1, among those that hold digits of the number.
        in_token: Its own number, from 1, among the digits in that token.
        of_token: How many digits of the number that token has.
    """

    token: int
    in_token: int
    of_token: int


Cut = Callable[[str, int, str], "list[Place] | None"]
"""From a text, where a number begins in it, and how it is written, to each digit's place."""


def cut_by_tokenizer(tokenizer: Tokenizer) -> Cut:
    """Return a function that places the digits of a number as a tokenizer cuts its text.

    It is the whole text that is cut, so that what stands around a number has its effect. None
    comes out where the tokenizer rewrites the text, so that its tokens have no place in it, or
    cuts it in the middle of a character.
    """

    def cut(text: str, start: int, number: str) -> list[Place] | None:
        try:
            spans = tokenizer.spans(text, parse_specials=False)
        except TokkitError:
            return None
        first = len(text[:start].encode("utf-8", "surrogatepass"))
        written = number.encode("utf-8", "surrogatepass")
        digits = [first + offset for offset, byte in enumerate(written) if 48 <= byte < 58]
        tokens = spans[:, 1].searchsorted(digits, side="right")
        return _places(tokens.tolist())

    return cut


def cut_by_groups(text: str, start: int, number: str) -> list[Place] | None:
    """Take the groups in which a number is written for its tokens; None for a single group."""
    groups = re.findall("[0-9]+", number)
    if len(groups) < 2:
        return None
    return _places([index for index, group in enumerate(groups) for _ in group])


def _places(tokens: list[int]) -> list[Place]:
    """Number tokens from 1, and the digits in each of them."""
    order = {token: number for number, token in enumerate(dict.fromkeys(tokens), start=1)}
    seen = dict.fromkeys(order, 0)
    places = []
    for token in tokens:
        seen[token] += 1
        places.append(Place(order[token], seen[token], tokens.count(token)))
    return places
