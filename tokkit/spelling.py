r"""From the code of a pattern to a regular expression, and back.

Engines read the same string differently: in Oniguruma ``{1,3}+`` is a repeated group instead of
a possessive quantifier, and ``$`` is the end of a line. Hence one spelling for each engine, and
one reading.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from tokkit.kernels import codes
from tokkit.unicode import Engine

THOUSANDS = codes.THOUSANDS << codes.NUMBER_SHIFT
IN_ASCII_CASE = codes.CONTRACTIONS | codes.ANY_CASE
IN_ANY_CASE = IN_ASCII_CASE | codes.LONG_S
AT_THE_END = IN_ANY_CASE | codes.TRAILING

Section = Mapping[str, int]
"""How one part of a pattern may be spelled, and what it means; the first is how we write it."""

_IN_ASCII = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
CONTRACTIONS: Section = {
    r"'(?:[sdmt]|ll|ve|re)": codes.CONTRACTIONS,
    r"'s|'t|'re|'ve|'m|'ll|'d": codes.CONTRACTIONS,
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)": IN_ANY_CASE,
    r"'(?i:[sdmt]|ll|ve|re)": IN_ANY_CASE,
    _IN_ASCII: IN_ASCII_CASE,
    _IN_ASCII[3:-1]: IN_ASCII_CASE,
}

_ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_LOWER_LAST = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_UPPER_FIRST = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
WORDS: Section = {
    r" ?\p{L}+": 0,
    r"[^\r\n\p{L}\p{N}]?\p{L}+": codes.PREFIXED,
    r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+": codes.PREFIXED | codes.MARKS,
    f"{_LOWER_LAST}{_ENDING}|{_UPPER_FIRST}{_ENDING}": codes.CASED | AT_THE_END,
    f"{_LOWER_LAST}{_IN_ASCII}?|{_UPPER_FIRST}{_IN_ASCII}?": (
        codes.CASED | IN_ASCII_CASE | codes.TRAILING
    ),
    f"{_LOWER_LAST}|{_UPPER_FIRST}": codes.CASED,
}


def number_groups(
    most: int, *, from_right: bool = False, numeral: str = r"\p{N}", before: str = ""
) -> str:
    r"""Spell alternatives that cut a run of numbers into groups, in linear time.

    Example: two from the right are
    ``(?<!\p{N})\p{N}(?=(?>(?:\p{N}{2})+)(?!\p{N}))|\p{N}{1,2}``. They look ahead at the start
    of a run only: what follows the first group is a multiple.

    Args:
        most: How many numerals a group has.
        from_right: Whether it is the first group that may have fewer, not the last.
        numeral: The class of a numeral.
        before: One character, or class, that goes with the first group if it is there.
    """
    group = _repeat(numeral, most)
    optional = f"{before}?" if before else ""
    if not from_right or most == 1:
        return optional + group
    start = rf"(?:{before}|(?<!{numeral}))" if before else rf"(?<!{numeral})"
    rest = rf"(?=(?>(?:{numeral}{{{most}}})+)(?!{numeral}))"
    return f"{start}{_repeat(numeral, most - 1)}{rest}|{optional}{group}"


def _repeat(numeral: str, most: int) -> str:
    return numeral if most == 1 else f"{numeral}{{1,{most}}}"


def _number_spellings() -> Iterator[tuple[str, int]]:
    """Give every way to spell numbers, and what it means."""
    yield r" ?\p{N}+", codes.SPACED_NUMBERS
    yield r"\p{N}+", codes.WHOLE_RUN
    for most in range(1, codes.THOUSANDS):
        rule = most << codes.NUMBER_SHIFT
        yield number_groups(most), rule
        yield number_groups(most, before=" "), rule | codes.SPACED_NUMBERS
        if most > 1:
            rule |= codes.FROM_RIGHT
            yield number_groups(most, from_right=True), rule
            yield rf"\p{{N}}{{1,{most}}}(?=(?:\p{{N}}{{{most}}})*(?!\p{{N}}))", rule
            spaced = number_groups(most, from_right=True, before=" ")
            yield spaced, rule | codes.SPACED_NUMBERS


NUMBERS: Section = dict(_number_spellings())

SYMBOLS: Section = {
    r" ?[^\s\p{L}\p{N}]+": 0,
    r" ?[^\s\p{L}\p{N}]+[\r\n]*": codes.NEWLINES,
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*": codes.SLASHES,
    r" ?[^\s\p{L}\p{M}\p{N}]+": codes.MARKS,
    r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*": codes.MARKS | codes.NEWLINES,
    r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n/]*": codes.MARKS | codes.SLASHES,
}

SPACES: Section = {
    r"\s+(?!\S)|\s+": 0,
    r"\s+(?!\S)|\s": 0,
    r"\s++$|\s+(?!\S)|\s+": 0,
    r"\s++$|\s+(?!\S)|\s": 0,
    r"\s*[\r\n]+|\s+(?!\S)|\s+": codes.LINES,
    r"\s*[\r\n]+|\s+(?!\S)|\s": codes.LINES,
    r"\s*[\r\n]|\s+(?!\S)|\s+": codes.LINES,
    r"\s*[\r\n]|\s+(?!\S)|\s": codes.LINES,
    r"\s*[\r\n]|\s++$|\s+(?!\S)|\s": codes.LINES,
    # What tiktoken calls cl100k_base since 2024; it differs at the end of a text only.
    r"\s++$|\s*[\r\n]+|\s+(?!\S)|\s+": codes.LINES | codes.TAIL,
    r"\s++$|\s*[\r\n]|\s+(?!\S)|\s": codes.LINES | codes.TAIL,
}

# Each digit with a multiple of three from itself to the last begins a piece.
SPLIT_THOUSANDS = r"(?=(\d{3})+(?!\d))"
# In linear time: up to two digits in front of a multiple of three of them, then three by three;
# numbers that are no digits join what is before and behind.
_BEFORE_THOUSANDS = r"(?!\d)\p{N}|(?<!\d)\d{1,2}(?=(?>(?:\d{3})*)(?!\d))"
_RUN_OF_THOUSANDS = rf"(?:{_BEFORE_THOUSANDS}|\d{{3}})(?:{_BEFORE_THOUSANDS})*+"

# Other whole patterns, and what they mean.
WHOLE: Mapping[str, int] = {
    SPLIT_THOUSANDS: codes.NUMBERS | THOUSANDS,
    # The ordinary BPE that SuperBPE was compared with, after numbers have been set apart.
    SPLIT_THOUSANDS + r"| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": codes.WORDS | THOUSANDS,
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]{2,}[\r\n/]*| +(?!\S)": (
        codes.SUPERWORDS | codes.SLASHES | 3 << codes.NUMBER_SHIFT
    ),
}

# Where a greedy quantifier and a possessive one match the same; the latter needs no stack.
_POSSESSIVE = (
    (r"\p{L}+", r"\p{L}++"),
    (r"\p{N}+", r"\p{N}++"),
    (r"[^\r\n\p{L}\p{N}]?\p{L}", r"[^\r\n\p{L}\p{N}]?+\p{L}"),
    (r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{N}]++"),
    (r"[^\s\p{L}\p{M}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]++"),
    (r"[\r\n]*", r"[\r\n]*+"),
    (r"[\r\n/]*", r"[\r\n/]*+"),
)
_POSSESSIVE_COUNT = re.compile(r"(\\p\{N\}\{1,\d+\})\+(?=\||$)")


def spell(code: int, engine: Engine) -> str:
    r"""The regular expression that cuts in `engine` as the scanner `code` does.

    It matches all of any text, so that it also serves where text between matches is dropped,
    as tiktoken does; but for `SPLIT_THOUSANDS` alone, which matches between characters.

    Raises:
        ValueError: If the code has ``NUMERIC``: no engine spells what a standard library calls
            numeric.
    """
    if code & codes.NUMERIC:
        raise ValueError("no engine spells the numeric characters of a standard library")
    family = code & codes.FAMILY
    if family == codes.WORDS:
        return _spell_words(code, engine)
    thousands = code & codes.NUMBER_RULE == THOUSANDS
    if family == codes.NUMBERS and not code & codes.RUNS:
        return SPLIT_THOUSANDS if thousands else r"[\s\S]+"
    number = _RUN_OF_THOUSANDS if thousands else _spelling(code, NUMBERS)
    if family == codes.NUMBERS:
        return rf"{number}|\P{{N}}+"
    slashes = r"[\r\n/]*" if code & codes.SLASHES else ""
    breaks = r"\p{N}| ?[^\s\p{L}\p{N}]{2}| +(?!\S)"
    return rf"{number}| ?[^\s\p{{L}}\p{{N}}]{{2,}}{slashes}| +(?!\S)|(?:(?!{breaks})[\s\S])++"


def read(regex: str, engine: Engine) -> int | None:
    """The code of the scanner that cuts as `regex` does in `engine`; None if there is none."""
    if regex in WHOLE:
        return WHOLE[regex]
    if regex in _own(engine):
        return _own(engine)[regex]
    rest = _relaxed(regex, engine)
    if not NUMBERS.get(rest, codes.SPACED_NUMBERS) & codes.SPACED_NUMBERS:
        return codes.NUMBERS | codes.RUNS | NUMBERS[rest]
    code = codes.WORDS
    for section in (CONTRACTIONS, WORDS, NUMBERS, SYMBOLS, SPACES):
        meaning, rest = _read_section(rest, section)
        if meaning is None and section is not CONTRACTIONS:
            return None
        if section is SYMBOLS and meaning is not None and (meaning ^ code) & codes.MARKS:
            return None
        code |= meaning or 0
    return None if rest else code


@cache
def _own(engine: Engine) -> Mapping[str, int]:
    """What we write for patterns that are not put together from `WORDS` and the like."""
    bases = codes.SUPERWORDS, codes.SUPERWORDS | codes.SLASHES, codes.NUMBERS | codes.RUNS
    rules = {rule for rule in NUMBERS.values() if not rule & codes.SPACED_NUMBERS} | {THOUSANDS}
    own = {spell(base | rule, engine): base | rule for base in bases for rule in rules}
    return {**own, spell(codes.NUMBERS, engine): codes.NUMBERS}


def _spell_words(code: int, engine: Engine) -> str:
    """Put together a pattern of family ``WORDS``."""
    word = code
    parts = []
    if not code & codes.TRAILING:
        word &= ~IN_ANY_CASE
        if code & codes.CONTRACTIONS:
            parts.append(_spelling(code, CONTRACTIONS))
    parts.append(_spelling(word, WORDS))
    parts.append(
        _RUN_OF_THOUSANDS if code & codes.NUMBER_RULE == THOUSANDS else _spelling(code, NUMBERS)
    )
    parts += [_spelling(code, SYMBOLS), _spelling(code, SPACES)]
    regex = "|".join(parts)
    if engine == "rust" and _RUN_OF_THOUSANDS not in parts:
        for greedy, possessive in _POSSESSIVE:
            regex = regex.replace(greedy, possessive)
    return regex


def _spelling(code: int, section: Section) -> str:
    """The first spelling in `section` of what `code` says: 0 in `SYMBOLS` is its first."""
    relevant = 0
    for flags in section.values():
        relevant |= flags
    return next(text for text, flags in section.items() if flags == code & relevant)


def _relaxed(regex: str, engine: Engine) -> str:
    """Write greedy quantifiers for possessive ones where that matches the same in `engine`."""
    repeated = r"\p{N}+" if engine == "oniguruma" else None
    regex = _POSSESSIVE_COUNT.sub(lambda match: repeated or match[1], regex)
    for greedy, possessive in _POSSESSIVE:
        regex = regex.replace(possessive, greedy)
    return regex.replace(r" ?[\p{L}]+", r" ?\p{L}+").replace(r" ?[\p{N}]+", r" ?\p{N}+")


def _read_section(regex: str, section: Section) -> tuple[int | None, str]:
    """What the alternatives at the start of `regex` mean, and what follows them."""
    for text in sorted(section, key=len, reverse=True):
        if regex == text or regex.startswith(text + "|"):
            return section[text], regex[len(text) + 1 :]
    return None, regex
