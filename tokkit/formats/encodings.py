"""What published ``.tiktoken`` files do not say about themselves: pattern and specials.

A file is known by the SHA-256 of its content, so that a renamed copy is recognised and another
vocabulary under a known name is not mistaken for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Encoding:
    """The part of a tiktoken encoding that its file of ranks leaves out.

    Attributes:
        name: As tiktoken or the model card calls it.
        pattern: A name of `tokkit.patterns.PATTERNS`.
        specials: Makes the special tokens' ids, by their text.
    """

    name: str
    pattern: str
    specials: Callable[[], Mapping[str, int]]


def numbered(texts: Sequence[str], first: int) -> dict[str, int]:
    """Number texts from `first`: ``(["a", "b"], 7)`` is ``{"a": 7, "b": 8}``."""
    return {text: first + index for index, text in enumerate(texts)}


def _reserved(name: str, numbers: range) -> list[str]:
    return [f"<|{name}reserved_special_token_{number}|>" for number in numbers]


def _cl100k() -> dict[str, int]:
    fill_in = numbered(["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"], 100258)
    return {"<|endoftext|>": 100257, **fill_in, "<|endofprompt|>": 100276}


def _llama3() -> dict[str, int]:
    """Number Llama 3's specials (meta-llama/llama-models, models/llama3/tokenizer.py)."""
    named = [
        "<|begin_of_text|>",
        "<|end_of_text|>",
        *_reserved("", range(2)),
        "<|finetune_right_pad_id|>",
        "<|step_id|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "<|python_tag|>",
        "<|image|>",
    ]
    return numbered([*named, *_reserved("", range(2, 246))], 128000)


def _llama4() -> dict[str, int]:
    """Number Llama 4's specials (meta-llama/llama-models, models/llama4/tokenizer.py)."""
    named = [
        *("<|begin_of_text|>", "<|end_of_text|>"),
        *("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
        *("<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>", "<|step|>"),
        *_reserved("text_post_train_", range(6)),
        *("<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>"),
        *_reserved("text_post_train_", range(8, 69)),
        *("<|image_start|>", "<|image_end|>"),
        *_reserved("vision_", range(2)),
        *("<|tile_x_separator|>", "<|tile_y_separator|>"),
        *_reserved("vision_", range(2, 6)),
        "<|image|>",
        *_reserved("vision_", range(6, 7)),
        "<|patch|>",
        *_reserved("vision_", range(7, 1048)),
        *_reserved("reasoning_", range(8)),
        *("<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"),
    ]
    return numbered([*named, *_reserved("", range(2048 - len(named)))], 200000)


ENCODINGS: Mapping[str, Encoding] = {
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": Encoding(
        "r50k_base", "gpt2", lambda: {"<|endoftext|>": 50256}
    ),
    "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069": Encoding(
        "p50k_base", "gpt2", lambda: {"<|endoftext|>": 50256}
    ),
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": Encoding(
        "cl100k_base", "cl100k", _cl100k
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": Encoding(
        "o200k_base", "o200k", lambda: {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}
    ),
    "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55": Encoding(
        "llama3", "llama3", _llama3
    ),
    "d0bdbaf59b0762c8c807617e2d8ea51420eb1b1de266df2495be755c8e0ed6ed": Encoding(
        "llama4", "o200k", _llama4
    ),
}
"""Known files of ranks by the SHA-256 of their content."""
