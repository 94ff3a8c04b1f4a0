"""The pre-tokenizers of byte-level BPE that llama.cpp knows by name.

A GGUF file does not hold a pattern but one of these names, ``tokenizer.ggml.pre``; the patterns
behind them are compiled into llama.cpp (src/llama-vocab.cpp, read in October 2026). Some names
also switch on the lookup of whole pieces (`IGNORE_MERGES`).
"""

from collections.abc import Mapping

from tokkit.errors import FormatError
from tokkit.patterns import Pattern, find_pattern
from tokkit.pretokenize import Pretokenizer, Sequence, for_pattern
from tokkit.unicode import Engine

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_PUNCTUATED = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_DIGIT_BY_DIGIT = (r"\p{N}", _GPT2)

PATTERNS_OF: Mapping[str, tuple[str, ...]] = {
    "default": (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"),
    "falcon": (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, "[0-9][0-9][0-9]"),
    "deepseek-v3": (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", _PUNCTUATED),
    "hunyuan-dense": (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", _PUNCTUATED),
    "deepseek-coder": (
        *("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+"),
        *("[一-龥ࠀ-一가-퟿]+", r"\p{N}"),
    ),
    **dict.fromkeys(
        ("starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"),
        _DIGIT_BY_DIGIT,
    ),
    **dict.fromkeys(("bloom", "poro-chat", "gpt3-finnish"), (" ?[^(\\s|.,!?…。，、।۔،)]+",)),
    **dict.fromkeys(
        ("gpt-2", "phi-2", "mpt", "olmo", "jais", "roberta-bpe", "exaone4", "modern-bert"),
        ("gpt2",),
    ),
    **dict.fromkeys(
        ("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2", "dbrx", "smaug-bpe"),
        ("llama3",),
    ),
    **dict.fromkeys(("glm4", "chatglm-bpe"), ("llama3",)),
    **dict.fromkeys(
        ("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "grok-2"), ("qwen2",)
    ),
    "qwen35": ("qwen3.5",),
    **dict.fromkeys(("gpt-4o", "llama4", "kanana2", "minimax-m2"), ("o200k",)),
    "tekken": ("tekken",),
    "superbpe": ("superbpe",),
}
"""What each name cuts by: patterns one after the other, by name or as regular expressions."""

IGNORE_MERGES = frozenset(
    {"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2", "tekken"}
)
"""The names with which a piece that is a token is that token, whatever its merges."""

# The names to write, where there is one without and where there is one with the lookup.
_NAMES: Mapping[str, tuple[str | None, str | None]] = {
    "gpt2": ("gpt-2", None),
    "llama3": ("dbrx", "llama-bpe"),
    "qwen2": ("qwen2", None),
    "qwen3.5": ("qwen35", None),
    "o200k": ("gpt-4o", None),
    "tekken": (None, "tekken"),
    "superbpe": ("superbpe", None),
}


def pretokenizer_of(name: str, engine: Engine) -> tuple[Pretokenizer, Pattern | None]:
    """Make the pre-tokenizer a name stands for, and its pattern if it is a single one.

    Raises:
        FormatError: If tokkit does not know the name.
    """
    if name not in PATTERNS_OF:
        raise FormatError(
            f"llama.cpp's pre-tokenizer {name!r} is unknown here; name its pattern (--pattern)"
        )
    patterns = [find_pattern(each) for each in PATTERNS_OF[name]]
    parts = tuple(for_pattern(pattern, engine) for pattern in patterns)
    return (parts[0], patterns[0]) if len(parts) == 1 else (Sequence(parts), None)


def names_of(pattern: Pattern | None) -> tuple[str | None, str | None]:
    """Find what llama.cpp calls a pattern: without and with the lookup of whole pieces.

    Raises:
        FormatError: If it does not know the pattern.
    """
    if pattern is not None:
        for name, names in _NAMES.items():
            if find_pattern(name).scanner == pattern.scanner and pattern.scanner >= 0:
                return names
    cut = "in several steps" if pattern is None else f"by {pattern.name or pattern.regex!r}"
    raise FormatError(
        f"the tokenizer cuts text {cut}, and llama.cpp has no name for that; "
        f"it has for {', '.join(_NAMES)}"
    )
