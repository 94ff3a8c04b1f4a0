"""Scores as the `tokenizers` library reads them, to the last bit.

Its JSON parser does not always give the number nearest to what is written. The last bit decides
between segmentations that score the same, so it matters: ``aaaa`` as ``a aaa`` or ``aaa a``.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tokkit.errors import FormatError

_DIGITS = tuple(f"{{:.{digits}e}}".format for digits in (15, 16, 17, 18))
_MARK = "\ue000scores\ue000"


def read_vocabulary(text: str) -> list[list[Any]]:
    """Return the tokens and scores of a Unigram model as the library reads them.

    Args:
        text: A whole ``tokenizer.json``.

    Raises:
        FormatError: If the library cannot read it.
    """
    from tokenizers import Tokenizer

    try:
        # What the library writes are the shortest numbers that are read back exactly.
        written = Tokenizer.from_str(text).to_str()
    except Exception as error:
        raise FormatError(f"the tokenizers library cannot read it ({error})") from None
    vocabulary: list[list[Any]] = json.loads(written)["model"]["vocab"]
    return vocabulary


def spell_scores(scores: Sequence[float]) -> list[str]:
    """Write numbers so that the library reads exactly them, with more digits where need be."""
    texts = [repr(float(score)) for score in scores]
    spellings: list[Callable[[float], str]] = [repr, *_DIGITS]
    # What is read wrong may be read right if it is written wrong.
    for way in (math.inf, -math.inf):
        spellings += [partial(_spell_beside, way=way, spell=each) for each in (repr, *_DIGITS)]
    unresolved = list(range(len(scores)))
    for spell in spellings:
        tried = {number: spell(float(scores[number])) for number in unresolved}
        read = _read_numbers(list(tried.values()))
        exact = [
            number
            for number, value in zip(unresolved, read, strict=True)
            if value == scores[number]
        ]
        for number in exact:
            texts[number] = tried[number]
        unresolved = sorted(set(unresolved).difference(exact))
    return texts


def _spell_beside(score: float, way: float, spell: Callable[[float], str]) -> str:
    """Write the number next to `score`, above it or below."""
    return spell(math.nextafter(score, way))


def _read_numbers(texts: Sequence[str]) -> list[float]:
    """Let the library read numbers."""
    vocab = ",".join(f'["{number}",{text}]' for number, text in enumerate(texts))
    model = f'{{"type":"Unigram","unk_id":null,"byte_fallback":false,"vocab":[{vocab}]}}'
    read = read_vocabulary(f'{{"version":"1.0","model":{model}}}')
    return [float(score) for _, score in read]


def dump(content: Mapping[str, Any]) -> bytes:
    """Write the JSON of a tokenizer; the scores of a Unigram model as `spell_scores` does."""
    model = content["model"]
    if model["type"] != "Unigram":
        return _dump(content)
    marked = _dump({**content, "model": {**model, "vocab": _MARK}})
    texts = spell_scores([score for _, score in model["vocab"]])
    entries = (
        f"[{json.dumps(token, ensure_ascii=False)}, {text}]"
        for (token, _), text in zip(model["vocab"], texts, strict=True)
    )
    vocab = "[\n" + ",\n".join(entries) + "\n]"
    return marked.replace(_dump(_MARK).strip(), vocab.encode())


def _dump(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"
