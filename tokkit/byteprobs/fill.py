"""Filling the gap between two texts, prefix and suffix.

A model that can do that was trained on texts with a piece moved to the end, in one of two
orders (Bavarian et al., 2022). What is exact about each:

``psm`` (prefix, suffix, middle). The model reads the tokens of the prefix and a sentinel after
them, so it knows that the prefix ends there, inside a word or not: no token can reach from the
prefix into the middle, and nothing has to be corrected. The middle begins with no text before
it. Models trained on gaps anywhere have seen such prefixes; for one trained on gaps between
lines only, ``psm-line`` moves the line that the prefix stops in into the middle, on condition
that the middle begins with it.

``spm`` (suffix, prefix, middle; the second variant of the paper: PRE SUF suffix MID prefix).
Prefix and middle are one text, cut into tokens across the seam: reading the tokens of the
prefix by themselves is the mistake that bytes avoid. The prefix is the text a byte stream
begins with, so it may stop anywhere.

``plain`` goes on with the prefix and never sees the suffix.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Unpack

from tokkit.byteprobs.healing import continue_tokens, encode_inside
from tokkit.byteprobs.sampling import Generation, SamplingOptions, generate, stream_text
from tokkit.byteprobs.sentinels import Layout, Order, Sentinels, find_sentinels
from tokkit.byteprobs.streams import ByteStream
from tokkit.errors import ModelError
from tokkit.lm.model import LanguageModel
from tokkit.tokenizer import Tokenizer, to_bytes
from tokkit.utf8 import unfinished

Baseline = Literal["plain", "token-healing"]
"""What tokens do by themselves: go on after the prompt's, or write the last one anew."""


class Fillable(Protocol):
    """A model seen through its bytes, such as `tokkit.byteprobs.ByteLM`."""

    @property
    def model(self) -> LanguageModel:
        """The model of tokens."""
        ...

    def stream(
        self,
        prefix: bytes | str = b"",
        context: Sequence[int] | None = None,
        lead: bool | None = None,
        ends: Collection[int] | None = None,
    ) -> ByteStream:
        """Begin a stream after `prefix`, with tokens before it.

        Args:
            prefix: The text so far.
            context: The ids before it; None: the model's start.
            lead: Whether the tokenizer puts before it what it puts before texts; None: yes.
            ends: The ids that end it; None: the model's.
        """
        ...


@dataclass(frozen=True)
class Prompt:
    """What a model is given before it writes.

    Attributes:
        context: Token ids.
        text: What the text that is written begins with.
        lead: Whether that text is the beginning of one, so that the tokenizer puts before it
            what it puts before texts.
        ends: The ids that end it.
    """

    context: tuple[int, ...]
    text: bytes
    lead: bool
    ends: frozenset[int]


def fill(
    lm: Fillable,
    prefix: bytes | str,
    suffix: bytes | str,
    *,
    order: Order = "auto",
    sentinels: Sentinels | None = None,
    baseline: Baseline | None = None,
    **options: Unpack[SamplingOptions],
) -> Generation:
    r"""Write what lies between `prefix` and `suffix`.

    Example: ``fill(lm, "def add(a, b):\n    ret", "\n", max_bytes=40, temperature=0)``.

    Args:
        lm: The model.
        prefix: The text before the gap; may stop anywhere, also inside a character.
        suffix: The text after it.
        order: See the module; ``auto``: what the model was trained on.
        sentinels: The model's own tokens for this; None: found by how they are written.
        baseline: Do it with tokens instead, for comparison: ``plain`` after the tokens of the
            prompt, ``token-healing`` after all but the last, which is chosen anew.
        **options: See `tokkit.byteprobs.sampling.Sampling`.

    Raises:
        ModelError: If the model has no tokens for this, or cannot read that much.
        UsageError: If an option is out of range or the model does not know the order.
    """
    before = lm.model.usage.copy()
    prompt = build_prompt(lm.model, to_bytes(prefix), to_bytes(suffix), order, sentinels)
    if baseline is not None:
        backup = 1 if baseline == "token-healing" else 0
        return continue_tokens(
            lm.model,
            prompt.context,
            prompt.text,
            lead=prompt.lead,
            ends=prompt.ends,
            backup=backup,
            **options,
        )
    written = generate(_begin(lm, prompt), prompt.text, **options)
    return replace(written, usage=lm.model.usage.since(before))


def fill_stream(
    lm: Fillable,
    prefix: bytes | str,
    suffix: bytes | str,
    *,
    order: Order = "auto",
    sentinels: Sentinels | None = None,
    **options: Unpack[SamplingOptions],
) -> Iterator[str]:
    """Write what lies between two texts, yielding whole characters as soon as they are sure.

    Joined they are the ``text`` of `fill` with the same arguments.

    Raises:
        ModelError: If the model has no tokens for this, or cannot read that much.
        UsageError: If an option is out of range or the model does not know the order.
    """
    prompt = build_prompt(lm.model, to_bytes(prefix), to_bytes(suffix), order, sentinels)
    yield from stream_text(_begin(lm, prompt), prompt.text, **options)


def _begin(lm: Fillable, prompt: Prompt) -> ByteStream:
    """Begin the stream after a prompt."""
    lead = None if prompt.lead else False
    return lm.stream(prompt.text, context=prompt.context, lead=lead, ends=prompt.ends)


def build_prompt(
    model: LanguageModel,
    prefix: bytes,
    suffix: bytes,
    order: Order,
    sentinels: Sentinels | None = None,
) -> Prompt:
    """Put prefix, suffix and sentinels in order; see `fill`.

    Raises:
        ModelError: If the model has no tokens for this.
        UsageError: If it does not know the order.
    """
    if order == "plain":
        return Prompt(model.start, prefix, True, model.ends)
    found = sentinels or find_sentinels(model.tokenizer)
    if found is None:
        raise ModelError(
            f"{model.name}: its tokenizer has no fill-in-the-middle tokens that tokkit knows; "
            "name them with --sentinels, or go on with the prefix alone with --order plain"
        )
    layout = found.layout(order)
    text = _text(layout, prefix)
    before = prefix[: len(prefix) - len(text)]
    parts = {
        "PRE": found.prefix,
        "SUF": found.suffix,
        "MID": found.middle,
        "prefix": _encode(model.tokenizer, before),
        "lines": _encode(model.tokenizer, before),
        "suffix": tuple(encode_inside(model.tokenizer, suffix)),
    }
    seam = layout[-1] in ("prefix", "line")
    context = [each for part in (layout[:-1] if seam else layout) for each in parts[part]]
    lead = layout[-1] == "prefix"
    return Prompt((*model.start, *context), text, lead, model.ends | found.ends)


def _text(layout: Layout, prefix: bytes) -> bytes:
    """Return how much of the prefix is one text with the middle.

    No middle can begin inside a character, so what there is of one is always part of it.
    """
    if layout[-1] == "prefix":
        return prefix
    if layout[-1] == "line":
        return prefix[prefix.rfind(b"\n") + 1 :]
    return unfinished(prefix)


def _encode(tokenizer: Tokenizer, text: bytes) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, parse_specials=False).tolist())
