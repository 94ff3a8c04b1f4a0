r"""How text is cut before it is tokenized: the patterns everybody uses, by name.

A pattern is a regular expression; the pieces are what it matches *and* what lies between
matches, which Hugging Face calls "isolated". Most patterns in use are put together from the
same alternatives, in this order:

===========  ==================================================================================
contraction  ``'s 't 're 've 'm 'll 'd``, in lower case or in any case (U+017F is an s too)
word         letters after an optional space (GPT-2), after any one code point but a number or
             newline (cl100k), or cut where lower case turns into upper case (o200k)
number       the whole run, at most k from the left, or groups of three from the right
symbols      what is no letter, number or white space, after an optional space; some patterns
             add the newlines, or newlines and slashes, that follow
white space  up to its last newline if it has one (not GPT-2); else all but its last code point
             if it is longer than one and something follows
===========  ==================================================================================

All of this is one integer, the code of a scanner (`tokkit.kernels.codes`). Patterns that cannot
be written so are cut by the `regex` library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from tokkit import spelling
from tokkit.errors import PatternError
from tokkit.kernels import codes
from tokkit.unicode import Engine as Engine

Digits = Literal["keep", "single", "l2r3", "r2l3"]
r"""How runs of \p{N} are cut, instead of by the pattern's own rule (``keep``).

``single``: each code point is a piece. ``l2r3``: groups of three from the left, ``1234567`` is
``123 456 7``. ``r2l3``: from the right, ``1 234 567``. A space before never goes with them.
"""

NO_SCANNER = -1

_SINGLE = 1 << codes.NUMBER_SHIFT
_THREE = 3 << codes.NUMBER_SHIFT
_RULES: Mapping[Digits, int] = {
    "single": _SINGLE,
    "l2r3": _THREE,
    "r2l3": _THREE | codes.FROM_RIGHT,
}

_GPT2 = codes.WORDS | codes.CONTRACTIONS | codes.SPACED_NUMBERS
_LINES = codes.WORDS | codes.LINES
_CL100K = _LINES | spelling.IN_ANY_CASE | codes.PREFIXED | codes.NEWLINES
_CASED = _LINES | codes.CASED | codes.SLASHES

_CODES: Mapping[str, int] = {
    # OpenAI's GPT-2, also r50k_base and p50k_base.
    "gpt2": _GPT2,
    # OpenAI's cl100k_base as first published; Llama 3 has the same.
    "cl100k": _CL100K | _THREE,
    "llama3": _CL100K | _THREE,
    # OpenAI's o200k_base; Llama 4 has the same.
    "o200k": _CASED | spelling.AT_THE_END | _THREE,
    # Qwen 1 to 3: cl100k with single digits.
    "qwen2": _CL100K | _SINGLE,
    # Qwen 3.5: combining marks are letters.
    "qwen3.5": _CL100K | _SINGLE | codes.MARKS,
    # Mistral's Tekken: o200k with single digits and without contractions.
    "tekken": _CASED | _SINGLE,
    # The tokenizers published with SuperBPE (arXiv 2503.13423): runs of \p{N} are set apart,
    # and cut before each \d with a multiple of three \d from itself to the last.
    "superbpe": codes.NUMBERS | codes.RUNS | spelling.THOUSANDS,
    # SuperBPE's training scripts since then, before merging across words, and after.
    "superbpe-stage1": _CASED | _THREE,
    "superbpe-stage2": codes.SUPERWORDS | codes.SLASHES | _THREE,
    # No cut.
    "none": codes.NUMBERS,
}


@dataclass(frozen=True)
class Pattern:
    """A way to cut text.

    Attributes:
        name: Its name in `PATTERNS`; None for any other regular expression.
        digits: How numbers are cut, if not by the pattern's own rule.
        regex: Its spelling for Python's `regex`.
        scanner: The code of the scanner that cuts the same (see `tokkit.kernels.codes`), or
            `NO_SCANNER`.
    """

    name: str | None
    digits: Digits
    regex: str
    scanner: int = NO_SCANNER

    def for_engine(self, engine: Engine) -> str:
        """Spell the pattern for an engine, to cut as the scanner does with its classes.

        The spellings match all of any text, so they also serve where what lies between matches
        is dropped, as tiktoken does. Without a scanner the regular expression stays as it is.
        """
        if self.scanner == NO_SCANNER:
            return self.regex
        return spelling.spell(self.scanner, engine)


def _with_digits(code: int, digits: Digits) -> int:
    """The code that cuts numbers as `digits` says, and everything else as `code`."""
    if digits == "keep":
        return code
    if code & codes.FAMILY == codes.NUMBERS:
        code |= codes.RUNS
    rule = codes.NUMBER_RULE | codes.FROM_RIGHT | codes.SPACED_NUMBERS
    return code & ~rule | _RULES[digits]


def _named(name: str, digits: Digits) -> Pattern:
    """The pattern called `name`, with another rule for numbers."""
    code = _with_digits(_CODES[name], digits)
    return Pattern(name, digits, spelling.spell(code, "regex"), code)


PATTERNS: Mapping[str, Pattern] = MappingProxyType(
    {name: _named(name, "keep") for name in _CODES}
)
"""The named patterns, with their own rule for numbers."""

_DIGITS: tuple[Digits, ...] = ("keep", "single", "l2r3", "r2l3")
_NAME_OF: dict[int, tuple[str, Digits]] = {}
for _rule in _DIGITS:
    for _name, _code in _CODES.items():
        _NAME_OF.setdefault(_with_digits(_code, _rule), (_name, _rule))


def recognise(regex: str, engine: Engine) -> Pattern | None:
    """The pattern with a scanner that cuts as `regex` does in `engine`; None if there is none.

    Only strings made of known spellings of the usual alternatives are recognised; the pattern
    has a name if some name, with some rule for numbers, means the same.
    """
    code = spelling.read(regex, engine)
    if code is None:
        return None
    return _anonymous(code) if code not in _NAME_OF else _named(*_NAME_OF[code])


def _anonymous(code: int) -> Pattern:
    """The pattern of a scanner that has no name."""
    return Pattern(None, "keep", spelling.spell(code, "regex"), code)


def find_pattern(name_or_regex: str, digits: Digits = "keep") -> Pattern:
    """The pattern of that name, or that regular expression (as the `regex` library reads it).

    Args:
        name_or_regex: A key of `PATTERNS`, or a regular expression.
        digits: Another rule for numbers.

    Raises:
        PatternError: If there is no such name, the expression is malformed, or another rule for
            numbers is asked of an expression that is not put together from the usual parts.
    """
    if name_or_regex in _CODES:
        return _named(name_or_regex, digits)
    _check(name_or_regex)
    pattern = recognise(name_or_regex, "regex")
    if pattern is None and digits == "keep":
        return Pattern(None, digits, name_or_regex)
    if pattern is None:
        raise PatternError(
            f"digits {digits!r} needs a named pattern, not {name_or_regex!r}: "
            "write the rule into the expression"
        )
    if digits == "keep":
        return pattern
    code = _with_digits(pattern.scanner, digits)
    return Pattern(None, digits, spelling.spell(code, "regex"), code)


def _check(regex: str) -> None:
    """Raise `PatternError` unless `regex` is a regular expression, and not just a word."""
    import regex as engine

    if regex.replace("-", "").replace("_", "").replace(".", "").isalnum() or not regex:
        raise PatternError(f"there is no pattern {regex!r}; known: {', '.join(_CODES)}")
    try:
        engine.compile(regex)
    except engine.error as error:
        raise PatternError(f"pattern {regex!r} is malformed: {error}") from None
