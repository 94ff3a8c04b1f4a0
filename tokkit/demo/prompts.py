"""What comes after a prompt that stops inside a word: as tokens say, and as bytes say.

The model counts three tokens in a row. It is asked for the byte after prompts that everybody
can continue; their own tokens end in pieces that hardly ever stand where the prompt stops.
"""

from collections.abc import Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from tokkit.byteprobs import ByteLM
from tokkit.byteprobs.naive import predict_token
from tokkit.byteprobs.results import END, ByteLogprobs
from tokkit.demo.text import Document
from tokkit.lm import NGramModel
from tokkit.tokenizer import Tokenizer

PROMPTS = ("import sy", "    return sel", "for i in ran", "raise ValueErr")
_BYTES = 1_000_000
_ORDER = 3


class Next(NamedTuple):
    """The likeliest next byte after a prompt.

    Attributes:
        prompt: The prompt.
        cut: Its own tokens.
        by_tokens: The byte that the model's next token most likely begins with, after these.
        by_tokens_prob: Its probability.
        by_bytes: The byte that most likely comes next in the text.
        by_bytes_prob: Its probability.
    """

    prompt: str
    cut: list[str]
    by_tokens: str
    by_tokens_prob: float
    by_bytes: str
    by_bytes_prob: float


def continue_prompts(tokenizer: Tokenizer, documents: Sequence[Document]) -> list[Next]:
    """Count the code among the documents, and say what comes after each prompt."""
    code = [each.text for each in documents if each.kind == "code"]
    sizes = accumulate(map(len, code))
    count = sum(1 for _ in takewhile(lambda size: size < _BYTES, sizes))
    model = NGramModel.fit(tokenizer, code[: count + 1], order=_ORDER)
    lm = ByteLM(model)
    found = []
    for prompt in PROMPTS:
        tokens = predict_token(model, prompt)
        cut = [piece.decode("utf-8", "replace") for piece in tokens.pieces]
        by_tokens, by_bytes = tokens.byte_probs, lm.next(prompt).probs
        found.append(Next(prompt, cut, *_likeliest(by_tokens), *_likeliest(by_bytes)))
    return found


def _likeliest(probs: ByteLogprobs) -> tuple[str, float]:
    """Return the likeliest byte as text, and its probability."""
    byte = int(probs[:END].argmax())
    return bytes([byte]).decode("utf-8", "replace"), float(probs[byte])
