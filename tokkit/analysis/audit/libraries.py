"""The library that a tokenizer's file was made for, to encode the same texts with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokkit.formats.check import is_installed
from tokkit.tokenizer import Tokenizer

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Library:
    """Another implementation of a tokenizer.

    Attributes:
        name: What it is called.
        encode: Text to ids, without what is put before and after; None: there is none.
        reason: Why there is none.
    """

    name: str
    encode: Encode | None = None
    reason: str = ""


def library_of(tokenizer: Tokenizer) -> Library:
    """Load the file that a tokenizer comes from in the library it was made for."""
    source = tokenizer.source
    if source is None:
        return Library("", reason="the tokenizer does not come from a file")
    module, opener = _LIBRARIES.get(source.format, ("", None))
    if opener is None:
        return Library("", reason=f"no library that can be asked reads {source.format} files")
    if not is_installed(module):
        return Library(module, reason=f"{module} is not installed")
    try:
        return Library(module, opener(tokenizer, source.path))
    except Exception as error:  # each library raises what it likes
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return Library(module, reason=f"{module} does not read the file ({reason[0][:200]})")


def _tokenizers(tokenizer: Tokenizer, path: Path) -> Encode:
    import tokenizers

    file = path / "tokenizer.json" if path.is_dir() else path
    loaded: Any = tokenizers.Tokenizer.from_file(str(file))
    loaded.no_padding()
    loaded.no_truncation()
    return lambda text: list(loaded.encode(text, add_special_tokens=False).ids)


def _tiktoken(tokenizer: Tokenizer, path: Path) -> Encode:
    import tiktoken

    from tokkit.formats.tiktoken import find_file, read_ranks

    if tokenizer.pattern is None:
        raise ValueError("it is not known how the file cuts text")
    file = find_file(path) or path
    loaded = tiktoken.Encoding(
        file.stem,
        pat_str=tokenizer.pattern.for_engine("rust"),
        mergeable_ranks=read_ranks(file, file.read_bytes()),
        special_tokens=dict(tokenizer.vocab.specials),
    )
    return lambda text: loaded.encode(text, disallowed_special=())


def _tekken(tokenizer: Tokenizer, path: Path) -> Encode:
    """mistral-common itself leaves the work to tiktoken, and adds to the ids what this adds."""
    import tiktoken

    from tokkit.formats.tekken import find_file, read_parts

    ranks, first, _, regex = read_parts(find_file(path))
    loaded = tiktoken.Encoding(
        "tekken", pat_str=regex, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: [first + rank for rank in loaded.encode(text)]


def _sentencepiece(tokenizer: Tokenizer, path: Path) -> Encode:
    import sentencepiece

    from tokkit.formats.sentencepiece import find_file

    loaded: Any = sentencepiece.SentencePieceProcessor(model_file=str(find_file(path) or path))
    return lambda text: list(loaded.encode(text))


_LIBRARIES: dict[str, tuple[str, Callable[[Tokenizer, Path], Encode]]] = {
    "hf": ("tokenizers", _tokenizers),
    "tiktoken": ("tiktoken", _tiktoken),
    "tekken": ("tiktoken", _tekken),
    "sentencepiece": ("sentencepiece", _sentencepiece),
}
