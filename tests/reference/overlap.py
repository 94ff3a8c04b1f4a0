"""Which tokens a longer one that began earlier would take over, said as simply as possible."""

from collections.abc import Iterable, Sequence


def blocked(vocabulary: Iterable[bytes], pending: Sequence[bytes], token: bytes) -> bool:
    """Whether a beginning of `token` makes a vocabulary entry of what is `pending`."""
    return any(
        begun + token[:length] in vocabulary
        for begun in pending
        for length in range(1, len(token) + 1)
    )


def follow(vocabulary: Iterable[bytes], pending: Sequence[bytes], token: bytes) -> set[bytes]:
    """What is pending after `token`, that of earlier tokens only."""
    longer = {begun + token for begun in pending}
    return {each for each in longer if any(_is_more(entry, each) for entry in vocabulary)}


def _is_more(entry: bytes, beginning: bytes) -> bool:
    return entry.startswith(beginning) and entry != beginning
