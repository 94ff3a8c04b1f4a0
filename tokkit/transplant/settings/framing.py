"""What tokenizers put before and after each text by themselves."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tokkit.tokenizer import Tokenizer
from tokkit.transplant.settings.roles import texts_of
from tokkit.transplant.settings.translation import Translation


class Framing(NamedTuple):
    """Special tokens as they are written.

    Attributes:
        before: Those before a text.
        after: Those after it.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def framing(tokenizer: Tokenizer) -> Framing:
    """Return what the files of a tokenizer say about texts; nothing if they say nothing."""
    source = tokenizer.source
    if source is None or source.format != "hf":
        return Framing()
    try:
        processor = json.loads(source.content).get("post_processor")
    except ValueError:
        return Framing()
    found = Framing()
    for each in _parts(processor):
        found = _of(each) or found
    return found


def _parts(processor: Any) -> Iterator[Mapping[str, Any]]:
    """Give the single post-processors of a sequence."""
    if isinstance(processor, Mapping):
        yield processor
        for each in processor.get("processors", ()):
            yield from _parts(each)


def _of(processor: Mapping[str, Any]) -> Framing | None:
    """Return what one post-processor puts around a text, None if nothing."""
    if processor.get("type") in ("BertProcessing", "RobertaProcessing"):
        return Framing((processor["cls"][0],), (processor["sep"][0],))
    if processor.get("type") != "TemplateProcessing":
        return None
    names = [part.get("SpecialToken", {}).get("id") for part in processor["single"]]
    place = next(i for i, part in enumerate(processor["single"]) if "Sequence" in part)
    return Framing(tuple(names[:place]), tuple(names[place + 1 :]))


def check_framing(translation: Translation) -> Iterator[str]:
    """Say if the model expects texts to be framed, and the new tokenizer does not do it."""
    ours, theirs = framing(translation.source), framing(translation.target)
    texts = texts_of(translation.target, translation.target_roles)
    for place, role, missing in (
        ("before", ("bos", "cls"), bool(ours.before and not theirs.before)),
        ("after", ("sep", "eos"), bool(ours.after and not theirs.after)),
    ):
        if not missing:
            continue
        name = next((texts[each] for each in role if each in texts), None)
        remedy = "add a token for that" if name is None else f"put {name!r} there"
        old = "".join(getattr(ours, place))
        yield (
            f"the model's tokenizer puts {old!r} {place} each text, and the new one by itself "
            f"nothing: {remedy}, or expect worse predictions"
        )
