"""Which special token plays which part in a tokenizer, and whose part it plays in another.

Besides the seven roles that transformers knows there is ``end_of_text``, which ends a document
even where the files of a chat model say ``eos`` to what ends a turn, and those of the markers
that chat templates, infilling and tools are written with.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tokkit.lm.roles import BEGINS, FINISHES, named_specials
from tokkit.tokenizer import Tokenizer

Roles = Mapping[str, int]
"""The id of the token that plays each role."""

USUAL: Mapping[str, tuple[str, ...]] = {
    "bos": (*BEGINS, "<BOS_TOKEN>"),
    "eos": (*FINISHES, "<EOS_TOKEN>"),
    "end_of_text": (*(name for name in FINISHES if name != "[SEP]"), "<EOS_TOKEN>"),
    "pad": (
        *("<pad>", "[PAD]", "<PAD>", "<|finetune_right_pad_id|>", "<|finetune_right_pad|>"),
        *("<｜▁pad▁｜>", "<|pad|>", "<|padding|>"),
    ),
    "unk": ("<unk>", "[UNK]", "<UNK>", "<|unk|>"),
    "cls": ("[CLS]", "<cls>"),
    "sep": ("[SEP]", "<sep>"),
    "mask": ("<mask>", "[MASK]", "<|mask|>"),
    "start_header": (
        *("<|start_header_id|>", "<|header_start|>", "<|im_start|>", "<start_of_turn>"),
        *("<|START_OF_TURN_TOKEN|>", "<|start|>"),
    ),
    "end_header": ("<|end_header_id|>", "<|header_end|>", "<|im_sep|>", "<|message|>"),
    "end_of_turn": (
        *("<|eot_id|>", "<|eot|>", "<|im_end|>", "<end_of_turn>", "<|END_OF_TURN_TOKEN|>"),
        *("<|end|>", "<|end_of_turn|>", "<|endofturn|>", "<｜EOT｜>", "<|EOT|>"),
    ),
    "end_of_message": ("<|eom_id|>", "<|eom|>", "<|call|>"),
    "system": ("<|system|>", "[SYSTEM_PROMPT]", "<|SYSTEM_TOKEN|>"),
    "user": ("<|user|>", "<｜User｜>", "<|User|>", "[INST]", "<|USER_TOKEN|>"),
    "assistant": (
        *("<|assistant|>", "<｜Assistant｜>", "<|Assistant|>", "[/INST]"),
        "<|CHATBOT_TOKEN|>",
    ),
    "prefix": (
        *("<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>", "<｜fim▁begin｜>"),
        *("▁<PRE>", "<PRE>", "[PREFIX]"),
    ),
    "suffix": (
        *("<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<｜fim▁hole｜>"),
        *("▁<SUF>", "<SUF>", "[SUFFIX]"),
    ),
    "middle": (
        *("<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<｜fim▁end｜>"),
        *("▁<MID>", "<MID>", "[MIDDLE]"),
    ),
    "tool_call": (
        *("<tool_call>", "<|python_tag|>", "<|python_start|>", "<|tool_call|>"),
        *("[TOOL_CALLS]", "<｜tool▁calls▁begin｜>"),
    ),
    "end_tool_call": (
        *("</tool_call>", "<|python_end|>", "<|/tool_call|>", "<｜tool▁calls▁end｜>"),
    ),
    "tool_result": ("<tool_response>", "[TOOL_RESULTS]", "<｜tool▁outputs▁begin｜>"),
    "end_tool_result": ("</tool_response>", "[/TOOL_RESULTS]", "<｜tool▁outputs▁end｜>"),
    "think": ("<think>", "[THINK]"),
    "end_think": ("</think>", "[/THINK]"),
    "image": ("<|image|>", "<image>", "<|image_pad|>", "<image_soft_token>", "[IMG]"),
}
"""How families write the token of each role, the surest first.

GPT-2, cl100k, o200k, Llama 2 to 4, Mistral, Qwen and other ChatML, Gemma, Phi, DeepSeek,
Command-R, StarCoder, CodeLlama, BERT, RoBERTa, XLM-R and T5.
"""
STAND_INS: Mapping[str, tuple[str, ...]] = {
    "bos": ("cls", "end_of_text", "eos"),
    "eos": ("end_of_text", "sep", "end_of_turn"),
    "end_of_text": ("eos", "sep"),
    "pad": ("end_of_text", "eos"),
    "cls": ("bos",),
    "sep": ("eos", "end_of_text"),
    "end_of_turn": ("eos", "end_of_text"),
    "end_of_message": ("end_of_turn", "eos", "end_of_text"),
}
"""What may play a role that the source has nobody for, the best first.

Where nothing begins a text, what ended the one before stood there in training (GPT-2, Qwen).
Encoders begin with ``cls`` and end with ``sep``. A row for padding is never attended to. No
other marker stands in for one: one row for ``user`` and ``assistant`` would confuse them.
"""
_BOUNDS = ("bos", "eos", "end_of_text", "cls", "sep")
_FROM_FILES: Mapping[str, str] = {"eot": "end_of_turn"}
"""What tokenizer files call some roles."""
_MARKERS = tuple(USUAL)[tuple(USUAL).index("start_header") :]


def find_roles(
    tokenizer: Tokenizer, path: str | None = None, config: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """Find the token of each role: by the files, then the configuration, then custom.

    Only special tokens count; an id of the configuration that stands for text belongs to
    another vocabulary, or is a default that nobody set. Markers may also be added tokens that
    the files do not call special (Phi-3's ``<|user|>``, DeepSeek's ``<｜User｜>``).

    Args:
        tokenizer: Whose roles.
        path: Its folder, file or Hub id, whose files are asked; None: where it was loaded from.
        config: ``config.json`` of a model with this tokenizer, or ``generation_config.json``,
            or both merged; None: nothing is known of one.

    Returns:
        Ids by role, in the order of `USUAL`; roles that no token plays are left out.
    """
    if path is None and tokenizer.source is not None:
        path = str(tokenizer.source.path)
    specials = tokenizer.vocab.specials
    added = {token.content: token.token_id for token in tokenizer.added.tokens if token.content}
    names = {} if path is None else named_specials(path)
    named = {_FROM_FILES.get(role, role): text for role, text in names.items()}
    roles: dict[str, int] = {}
    for role, usual in USUAL.items():
        known = {**added, **specials} if role in _MARKERS else specials
        configured = _configured(tokenizer, config or {}, role)
        written = (known[text] for text in (named.get(role, ""), *usual) if text in known)
        if named.get(role) not in known and configured is not None:
            roles[role] = configured
        elif (token_id := next(written, None)) is not None:
            roles[role] = token_id
    return roles


def _configured(tokenizer: Tokenizer, config: Mapping[str, Any], role: str) -> int | None:
    """Return the id that a configuration gives for a role, if it is a special token's."""
    special = set(tokenizer.vocab.specials.values())
    for place in (config, config.get("text_config")):
        values = place.get(f"{role}_token_id") if isinstance(place, Mapping) else None
        for value in values if isinstance(values, list | tuple) else [values]:
            if type(value) is int and value in special:
                return value
    return None


def match_roles(
    source: Roles, target: Roles, *, prefer: tuple[str, ...] = _BOUNDS[1:]
) -> dict[int, int]:
    """Match the special tokens of two tokenizers by what they are for.

    Args:
        source: Roles of the model's tokenizer.
        target: Roles of the one it is moved onto.
        prefer: Which of several roles of a token decides, the strongest first; then follow the
            others in the order of `USUAL`. By default GPT-2's ``<|endoftext|>``, which begins
            and ends texts, is made from what ends one, so that generation stops. For rows of
            the input side `INPUT` is better: nearly all models need what begins a text.

    Returns:
        Source ids by target id: first by equal roles, then by `STAND_INS`.
    """
    order = [*prefer, *(role for role in USUAL if role not in prefer)]
    matches: dict[int, int] = {}
    for stands_in in (False, True):
        for role in order:
            if role not in target:
                continue
            partners = STAND_INS.get(role, ()) if stands_in else (role,)
            found = next((source[each] for each in partners if each in source), None)
            if found is not None:
                matches.setdefault(target[role], found)
    return matches


INPUT = _BOUNDS
"""For `match_roles`: what begins a text comes first."""


def match_texts(source: Tokenizer, target: Tokenizer) -> dict[int, int]:
    """Match the special tokens that both tokenizers write alike: source ids by target id."""
    return {
        token_id: source.vocab.specials[text]
        for text, token_id in target.vocab.specials.items()
        if text in source.vocab.specials
    }


def texts_of(tokenizer: Tokenizer, roles: Roles) -> dict[str, str]:
    """Return how the token of each role is written."""
    return dict(_written(tokenizer, roles))


def _written(tokenizer: Tokenizer, roles: Roles) -> Iterator[tuple[str, str]]:
    texts = {token_id: text for text, token_id in tokenizer.vocab.specials.items()}
    for role, token_id in roles.items():
        yield role, texts.get(token_id) or tokenizer.vocab.tokens[token_id].decode()
