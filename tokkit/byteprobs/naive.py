"""What a model of tokens predicts by itself, for comparison: the usual, biased way.

The prompt is cut into its own tokens and the next token is predicted. Where the prompt ends
inside of what would be one token, that token can no longer come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.results import END
from tokkit.byteprobs.surface import text_of
from tokkit.lm.model import LanguageModel
from tokkit.tokenizer import Tokenizer, to_bytes


@dataclass(frozen=True)
class TokenPrediction:
    """The next token after a prompt's own tokens.

    Attributes:
        ids: The prompt's tokens.
        pieces: Their bytes.
        probs: The probability of each next token, ``float64[V]``.
        byte_probs: Of the byte that the next token begins with, and of the end of the text,
            ``float64[257]``; they sum to one less `other`.
        other: Of special and unused tokens that do not end a text.
        names: What each id stands for: bytes, or the name of a special token.
    """

    ids: Sequence[int]
    pieces: Sequence[bytes]
    probs: NDArray[np.float64]
    byte_probs: NDArray[np.float64]
    other: float
    names: Sequence[bytes | str]

    def likeliest(self, top: int) -> list[tuple[int, bytes | str, float]]:
        """Return the id, the name and the probability of the likeliest next tokens."""
        order = np.argsort(-self.probs, kind="stable")[:top].tolist()
        return [(token, self._name(token), float(self.probs[token])) for token in order]

    def _name(self, token: int) -> bytes | str:
        return self.names[token] if token < len(self.names) else "(unused)"

    def as_json(self, top: int) -> Mapping[str, object]:
        r"""Everything as JSON, with the `top` likeliest next tokens.

        A byte of a token that is not UTF-8 is written as a ``\udcXX`` surrogate.
        """
        shares = self.byte_probs.tolist()
        return {
            "prompt": [
                {"id": token, "token": _text(piece)}
                for token, piece in zip(self.ids, self.pieces, strict=True)
            ],
            "next": [
                {"id": token, "token": _text(name), "p": share}
                for token, name, share in self.likeliest(top)
            ],
            "probs": {str(byte): shares[byte] for byte in range(END)},
            "eos": shares[END],
            "other": self.other,
        }


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")


def predict_token(model: LanguageModel, prefix: bytes | str) -> TokenPrediction:
    """Predict the next token after the prompt's own tokens.

    Args:
        model: What to ask.
        prefix: The prompt; special tokens written in it are text.

    Raises:
        ModelError: If the prompt is longer than the model's context.
    """
    tokenizer = model.tokenizer
    data = to_bytes(prefix)
    ids = tokenizer.encode(data, parse_specials=False).tolist()
    probs = np.exp(model.next_logprobs([ids])[0].astype(np.float64))
    byte_probs = np.zeros(END + 1)
    tokens = tokenizer.vocab.tokens
    lead = b"" if data else first_space(tokenizer)
    for token, piece in enumerate(text_of(tokenizer, model.vocab_size, model.ends)):
        if seen := piece.removeprefix(lead):
            byte_probs[seen[0]] += probs[token]
    byte_probs[END] = sum(probs[token] for token in model.ends)
    names: list[bytes | str] = [piece or "(unused)" for piece in tokens]
    for name, token in tokenizer.vocab.specials.items():
        names[token] = name
    pieces = [tokens[token] for token in ids]
    other = max(0.0, float(probs.sum() - byte_probs.sum()))
    return TokenPrediction(ids, pieces, probs, byte_probs, other, names)


def first_space(tokenizer: Tokenizer) -> bytes:
    """Return the space that the tokenizer puts before a text: ``b" "`` or nothing."""
    ids = tokenizer.encode(b"a", parse_specials=False).tolist()
    return b" " if b"".join(tokenizer.vocab.tokens[token] for token in ids) == b" a" else b""
