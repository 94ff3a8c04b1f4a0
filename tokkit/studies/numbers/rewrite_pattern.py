r"""Putting another rule for numbers into a regular expression, in the place of its own.

A pattern says how numbers are cut in one of its alternatives, such as ``\p{N}{1,3}`` or
GPT-2's `` ?\p{N}+``. Only that alternative is replaced: whatever else the pattern cuts, white
space before numbers included, it cuts as before. A second step in front of the pattern could
not do that, as ``\s+(?!\S)`` no longer sees the number that follows a space.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokkit.errors import UsageError
from tokkit.spelling import number_groups

MOST = 8
"""Digits of the largest groups that can be asked for."""
_NAME = re.compile(r"(single|l2r|r2l)([1-9][0-9]*)?")

_NUMERALS = (r"\p{N}", r"\pN", r"\p{Number}", r"\p{Nd}", r"\d", "[0-9]", "[[:digit:]]")
"""How a class of numerals may be spelled, the widest first."""
_NUMERAL = re.compile("|".join(rf"\[{each}\]|{each}" for each in map(re.escape, _NUMERALS)))
_OTHERS = re.compile(r"\\P\{(?:N|Nd|Number)\}|\\PN|\\D|\[\^(?:0-9|\\d|\\p\{Nd?\})\]")
"""How a class of everything but numerals may be spelled."""
_SKELETON = re.compile(r"(?:[NO{}0-9,+*?()=!<>:|$]|\\[bzZ]|[ ▁Ġ]|\\s|\[ \])+")
"""What an alternative about nothing but numbers is made of: numerals are written ``N``, and
others, at which it only looks, ``O``."""
_BEFORE = re.compile(r"(?:\((?:\?:)?)*(?P<one>[ ▁Ġ]|\\s|\[ \])(?:\?|\|\(\?<!)")


@dataclass(frozen=True)
class Grouping:
    """A way to cut runs of digits.

    Attributes:
        size: How many digits a group has.
        from_right: Whether it is the first group that may have fewer, not the last.
    """

    size: int
    from_right: bool

    @property
    def name(self) -> str:
        """As users write it: ``"single"``, ``"l2r3"``, ``"r2l3"``."""
        if self.size == 1:
            return "single"
        return f"{'r2l' if self.from_right else 'l2r'}{self.size}"

    def cut(self, run: str) -> list[str]:
        """Cut digits: three from the right, ``"1234567"`` is ``["1", "234", "567"]``."""
        first = len(run) % self.size if self.from_right else 0
        starts = [*([0] if first else []), *range(first, len(run), self.size)]
        ends = [*starts[1:], len(run)]
        return [run[start:end] for start, end in zip(starts, ends, strict=True)]

    def spell(self, numeral: str = r"\p{N}", before: str = "") -> str:
        """Spell the alternatives that cut so; see `tokkit.spelling.number_groups`."""
        return number_groups(
            self.size, from_right=self.from_right, numeral=numeral, before=before
        )


def parse_grouping(name: str) -> Grouping:
    """Read ``single``, ``l2rK`` or ``r2lK``.

    Raises:
        UsageError: If it is neither.
    """
    match = _NAME.fullmatch(name)
    size = int(match[2] or 0) if match else 0
    if match and match[1] == "single" and not size:
        return Grouping(1, from_right=False)
    if match is None or match[1] == "single" or not 1 <= size <= MOST:
        raise UsageError(
            f"digits cannot be {name!r}: say single, l2r1 to l2r{MOST} (groups from the left) "
            f"or r2l1 to r2l{MOST} (from the right)"
        )
    return Grouping(size, from_right=match[1] == "r2l" and size > 1)


def regroup(regex: str, grouping: Grouping) -> str | None:
    r"""Replace what a pattern says of numbers.

    Args:
        regex: The pattern.
        grouping: How numbers should be cut.

    Returns:
        The pattern with other alternatives for numbers in the place of its first, with the same
        class of numerals and the same space before them; None if no alternative is about
        numbers alone.
    """
    parts = alternatives(regex)
    own = [number for number, part in enumerate(parts) if is_numeric(part)]
    if not own:
        return None
    said = [parts[number] for number in own]
    parts[own[0]] = grouping.spell(_widest(said), space_before(said))
    return "|".join(part for number, part in enumerate(parts) if number not in own[1:])


def alternatives(regex: str) -> list[str]:
    """Cut a pattern at each ``|`` that is in no group and no class."""
    parts = [""]
    depth = brackets = 0
    for token in re.findall(r"\\.|[^\\]", regex, re.DOTALL):
        if brackets:
            brackets += (token == "[") - (token == "]")
        elif token == "[":
            brackets = 1
        else:
            depth += (token == "(") - (token == ")")
        if token == "|" and depth == brackets == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def is_numeric(alternative: str) -> bool:
    """Say whether an alternative matches, or looks at, numbers only, and a space before."""
    skeleton = _NUMERAL.sub("N", _OTHERS.sub("O", alternative))
    matched = "".join(_outside_looks(skeleton))
    return "N" in skeleton and "O" not in matched and _SKELETON.fullmatch(skeleton) is not None


def _outside_looks(regex: str) -> Iterator[str]:
    """Yield what a pattern matches, without what it only looks at, before or behind that."""
    depth = 0
    for token in re.findall(r"\(\?<?[=!]|\\.|[^\\]", regex, re.DOTALL):
        if depth or token.startswith("(?"):
            depth += token.startswith("(") - (token == ")")
        else:
            yield token


def _widest(said: Sequence[str]) -> str:
    r"""The widest class of numerals in some alternatives, without brackets around it.

    A bare look-ahead, as SuperBPE's ``(?=(\d{3})+(?!\d))``, cuts inside runs of any numerals.
    """
    if all(part.startswith("(?=") for part in said):
        return _NUMERALS[0]
    found = {each for part in said for each in _NUMERAL.findall(part)}
    spelled = {each[1:-1] if each.startswith("[\\") else each for each in found}
    return next(each for each in _NUMERALS if each in spelled)


def space_before(said: Sequence[str]) -> str:
    """What may stand before a number and goes with it; empty if nothing."""
    matches = filter(None, map(_BEFORE.match, said))
    return next((match["one"] for match in matches), "")
