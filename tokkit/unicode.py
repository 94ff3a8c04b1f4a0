"""What each engine takes for a letter, a number or white space.

Regular expression engines follow different versions of Unicode, so a scanner that has to cut as
an engine does must use that engine's classes. They are found by asking the engine about every
code point, shipped in ``tokkit/tables``, and asked for again, once, when another version of the
engine is installed.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels import codes

Engine = Literal["regex", "oniguruma", "rust"]
"""Whose Unicode tables hold: Python's `regex`, Hugging Face `tokenizers`, or `tiktoken`."""

Table = NDArray[np.uint8]
"""One byte of properties or classes for each code point, ``uint8[0x110000]``."""

SIZE = 0x110000
SURROGATES = range(0xD800, 0xE000)

LETTER = 1  # \p{L}
NUMBER = 2  # \p{N}
SPACE = 4  # \s
UPPER = 8  # [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
LOWER = 16  # [\p{Ll}\p{Lm}\p{Lo}\p{M}]
DIGIT = 32  # \d
NUMERIC = 64  # the engine's library calls it numeric; \p{N} where it has no such notion
SYMBOL = 128  # [\p{P}\p{S}]

PROPERTIES: Mapping[int, str] = {
    LETTER: r"\p{L}",
    NUMBER: r"\p{N}",
    SPACE: r"\s",
    UPPER: r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]",
    LOWER: r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]",
    DIGIT: r"\d",
    SYMBOL: r"[\p{P}\p{S}]",
}
PACKAGES: Mapping[Engine, str] = {
    "regex": "regex",
    "oniguruma": "tokenizers",
    "rust": "tiktoken",
}

FOLDER = Path(__file__).with_name("tables")
TABLE_FORMAT = 1  # raised whenever `PROPERTIES` changes

logger = logging.getLogger("tokkit")


def _all_code_points() -> str:
    """Every code point that UTF-8 can hold, once."""
    return "".join(map(chr, (*range(SURROGATES.start), *range(SURROGATES.stop, SIZE))))


def _marked(characters: str) -> NDArray[np.bool_]:
    """Which code points occur in `characters`."""
    marked = np.zeros(SIZE, dtype=np.bool_)
    marked[np.frombuffer(characters.encode("utf-32-le"), dtype=np.uint32)] = True
    return marked


def _ask_regex(expression: str, text: str) -> str:
    """The characters of `text` that `expression` matches, says `regex`."""
    import regex

    return "".join(regex.findall(expression, text))


def _chunks(text: str) -> Iterator[str]:
    """`text` in parts that `tokenizers`, which computes many offsets, is quick with."""
    for start in range(0, len(text), 1 << 14):
        yield text[start : start + (1 << 14)]


def _ask_oniguruma(expression: str, text: str) -> str:
    """The characters of `text` that `expression` matches, says `tokenizers`."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    keep = Split(Regex(f"{expression}+"), "removed", invert=True)
    return "".join(
        piece for chunk in _chunks(text) for piece, _ in keep.pre_tokenize_str(chunk)
    )


def _ask_rust(expression: str, text: str) -> str:
    """The characters of `text` that `expression` matches, says `tiktoken`.

    It encodes what the pattern matches and skips the rest; here, one byte at a time.
    """
    import tiktoken

    encoding = tiktoken.Encoding(
        "probe",
        pat_str=expression,
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={},
    )
    return encoding.decode(encoding.encode_ordinary(text))


def _ask_numeric(text: str) -> str:
    """The characters of `text` that the Digits step of `tokenizers` calls numeric."""
    from tokenizers.pre_tokenizers import Digits

    digits = Digits(individual_digits=True)
    return "".join(
        piece
        for chunk in _chunks(text)
        for piece, _ in digits.pre_tokenize_str("a".join(("", *chunk, "")))
        if len(piece) == 1 and piece != "a"
    )


ASK: Mapping[Engine, Callable[[str, str], str]] = {
    "regex": _ask_regex,
    "oniguruma": _ask_oniguruma,
    "rust": _ask_rust,
}


def probe(engine: Engine) -> Table:
    """Ask an engine for the properties of every code point; takes seconds.

    Returns:
        The properties as bits, ``uint8[0x110000]``; surrogates have none.

    Raises:
        ImportError: If the engine is not installed.
    """
    text = _all_code_points()
    table = np.zeros(SIZE, dtype=np.uint8)
    for bit, expression in PROPERTIES.items():
        table[_marked(ASK[engine](expression, text))] |= bit
    if engine == "oniguruma":
        table[_marked(_ask_numeric(text))] |= NUMERIC
    else:
        table[(table & NUMBER) != 0] |= NUMERIC
    return table


def write_table(path: Path, table: Table, engine_version: str) -> None:
    """Write a table as runs of equal code points, with the version of its engine; atomic."""
    starts = np.flatnonzero(np.diff(table, prepend=~table[:1]))
    content = {
        "version": engine_version,
        "starts": starts.tolist(),
        "properties": table[starts].tolist(),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(content, separators=(",", ":")) + "\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_table(path: Path) -> tuple[Table, str]:
    """Read what `write_table` wrote: the table and the version of its engine."""
    content = json.loads(path.read_text())
    starts = np.array([*content["starts"], SIZE])
    properties = np.array(content["properties"], dtype=np.uint8)
    return np.repeat(properties, np.diff(starts)), content["version"]


def _cache_folder() -> Path:
    """Where the tables of other versions than the shipped ones are kept."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache) / "tokkit" if cache else Path("~/.cache/tokkit").expanduser()


def _probe_once(engine: Engine, engine_version: str) -> Table:
    """The table of the installed engine: from the user's cache, or probed and put there."""
    name = f"classes-{TABLE_FORMAT}-{engine}-{engine_version}.json"
    try:
        return read_table(_cache_folder() / name)[0]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        pass  # none yet, or a damaged one
    logger.info("asking %s %s for its Unicode classes, once", engine, engine_version)
    table = probe(engine)
    try:
        _cache_folder().mkdir(parents=True, exist_ok=True)
        write_table(_cache_folder() / name, table, engine_version)
    except (OSError, RuntimeError) as error:
        logger.info("the classes are not kept: %s", error)
    return table


@lru_cache(maxsize=len(PACKAGES))
def properties(engine: Engine) -> Table:
    """The properties of every code point, as the installed version of `engine` sees them.

    Where the engine is not installed, the shipped table holds.

    Returns:
        Bits of `PROPERTIES`, ``uint8[0x110000]``; not to be written to.
    """
    table, shipped = read_table(FOLDER / f"{engine}.json")
    try:
        installed = version(PACKAGES[engine])
    except PackageNotFoundError:
        installed = shipped
    if installed != shipped:
        table = _probe_once(engine, installed)
    table.flags.writeable = False
    return table


def _class_of(bits: int, code: int) -> int:
    """The class a scanner needs for a code point with these properties."""
    number = NUMERIC if code & codes.NUMERIC else NUMBER
    mark = not bits & LETTER and bits & UPPER and bits & LOWER
    letter = bits & LETTER or (mark and code & codes.MARKS)
    return (
        (codes.LETTER if letter else 0)
        | (codes.NUMBER if bits & number else 0)
        | (codes.SPACE if bits & SPACE else 0)
        | (codes.UPPER if bits & UPPER else 0)
        | (codes.LOWER if bits & LOWER else 0)
        | (codes.DIGIT if bits & DIGIT else 0)
    )


@lru_cache(maxsize=8)
def _classes(engine: Engine, relevant: int) -> Table:
    """`classes` for the flags that matter."""
    translation = np.array([_class_of(bits, relevant) for bits in range(256)], dtype=np.uint8)
    table: Table = translation[properties(engine)]
    table[[0x0A, 0x0D]] |= codes.NEWLINE
    return table


def classes(engine: Engine, code: int) -> Table:
    """The class of every code point for a scanner (see `tokkit.kernels.codes`).

    Returns:
        ``uint8[0x110000]``; shared, not to be written to.
    """
    return _classes(engine, code & (codes.MARKS | codes.NUMERIC))
