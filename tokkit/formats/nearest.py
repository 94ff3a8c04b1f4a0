"""What a ``tokenizer.json`` can say of a tokenizer from a file of another format."""

from dataclasses import replace
from pathlib import Path

from tokkit.errors import FormatError
from tokkit.formats.check import awkward_texts
from tokkit.formats.huggingface import FILE, build
from tokkit.formats.huggingface_json import to_json
from tokkit.formats.huggingface_scores import dump
from tokkit.tokenizer import Source, Tokenizer


def nearest(tokenizer: Tokenizer) -> tuple[Tokenizer, str]:
    """Return the tokenizer that a ``tokenizer.json`` makes of this one, and what differs.

    Its library reads some SentencePiece files otherwise than theirs does, above all those that
    normalize text: it looks at combining characters together, and takes text that spells a
    byte token for that.

    Args:
        tokenizer: Of any format.

    Returns:
        The tokenizer, with the same ids, and what differs in words, which is empty if nothing
        was found to. One that was read from a ``tokenizer.json`` is returned as it is.

    Raises:
        FormatError: If the format cannot say what the tokenizer does.
    """
    source = tokenizer.source
    if source is not None and source.format == "hf":
        return tokenizer, ""
    place = source.path if source is not None else Path(FILE)
    try:
        content = to_json(tokenizer)
        written = build(content, Source("hf", place.with_name(FILE), dump(content)))
    except FormatError as error:
        raise FormatError(f"{place} cannot be said in a {FILE}: {error}") from None
    return written, _describe_loss(tokenizer, written)


def _describe_loss(tokenizer: Tokenizer, written: Tokenizer) -> str:
    """Say which texts have other tokens for being read from a ``tokenizer.json``."""
    texts = awkward_texts(tokenizer)
    # That library always looks for special tokens in text.
    parsing = replace(tokenizer, added=replace(tokenizer.added, parse=True))
    batches = (each.encode_batch(texts) for each in (parsing, written))
    pairs = zip(texts, *batches, strict=True)
    other = [text for text, old, new in pairs if old.tolist() != new.tolist()]
    if not other:
        return ""
    return (
        f"{len(other)} of {len(texts)} awkward texts, such as {min(other, key=len)[:20]!r}, "
        f"have other tokens in a {FILE} than in the original file: its library takes combining "
        "characters, and text that spells byte tokens, otherwise"
    )
