"""Which ids begin and end a text, told by how special tokens are written."""

from tokkit.tokenizer import Tokenizer

BEGINS = (
    "<s>",
    "<bos>",
    "<BOS>",
    "<|begin_of_text|>",
    "<|begin▁of▁sentence|>",
    "<｜begin▁of▁sentence｜>",
    "<|startoftext|>",
    "<|endoftext|>",
    "[CLS]",
)
"""How the token before a text is written, the surest first."""
FINISHES = (
    "</s>",
    "<eos>",
    "<EOS>",
    "<|end_of_text|>",
    "<|end▁of▁sentence|>",
    "<｜end▁of▁sentence｜>",
    "<|endoftext|>",
    "[SEP]",
)
"""How the token after a text is written, the surest first."""


def special_id(tokenizer: Tokenizer, names: tuple[str, ...]) -> int | None:
    """Return the id of the first of these special tokens that there is; id 0 counts."""
    specials = tokenizer.vocab.specials
    return next((specials[name] for name in names if name in specials), None)
