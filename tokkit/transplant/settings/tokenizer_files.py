"""The tokenizer's files of a new model: the target's, and nothing of the source's."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tokkit.errors import JobError
from tokkit.formats import save
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.settings.chat import Chat
from tokkit.transplant.settings.roles import Roles, texts_of

JSON, CONFIG = "tokenizer.json", "tokenizer_config.json"
MAP = "special_tokens_map.json"
COPIED = (
    *(JSON, "added_tokens.json", "vocab.json", "merges.txt"),
    *("vocab.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "spm.model"),
    *("tekken.json", "normalizer.json"),
)
"""Files of a tokenizer that are copied as they are."""
TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")
REPLACING = frozenset(("qwen2", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text"))
"""Model types beside which transformers 5.23 puts a pre-tokenizer of its own."""
_CLASS = "PreTrainedTokenizerFast"
_KNOWN = ("bos", "eos", "pad", "unk", "cls", "sep", "mask")
_LASTING = (
    *("model_max_length", "padding_side", "truncation_side", "tokenizer_class"),
    *(f"{role}_token" for role in _KNOWN),
)
"""What of a tokenizer's configuration holds in another format."""
_LEFT = ("CodeLlama", "Cohere", "Gemma", "Llama", "XLNet")
"""Classes of tokenizers that pad on the left where their files do not say."""


def is_tokenizer_file(name: str) -> bool:
    """Say whether a file of a model's folder belongs to its tokenizer, by its name."""
    return name in (*COPIED, *TEMPLATES, CONFIG, MAP) or (
        name.endswith((".tiktoken", ".tiktoken.model"))
        or (name.startswith("tokenization_") and name.endswith(".py"))
    )


def write_tokenizer(
    target_path: str | Path,
    target: Tokenizer,
    folder: str | Path,
    roles: Roles,
    chat: Chat,
    model_config: Mapping[str, Any],
) -> list[str]:
    """Write the target tokenizer into the folder of the new model.

    The files of a Hugging Face folder are copied; only ``tokenizer_config.json`` is rewritten.
    Its class becomes `PreTrainedTokenizerFast`, which reads ``tokenizer.json`` as it is beside
    any model, where the class of one family would rebuild it. Anything else is converted.

    Args:
        target_path: The folder, file or Hub id the target was loaded from.
        target: The target tokenizer.
        folder: Of the new model; it has its ``config.json`` already.
        roles: Of the target; see `find_roles`.
        chat: The chat template to write.
        model_config: The new ``config.json``.

    Returns:
        What a user should know, in words.

    Raises:
        JobError: If a file cannot be written.
        FormatError: If a tokenizer of another format cannot be said in this one.
        CheckError: If a converted one does not mean the same.
    """
    place = Path(folder)
    origin = _folder_of(target_path, target)
    try:
        place.mkdir(parents=True, exist_ok=True)
        if origin is None:
            config = _convert(target, place)
            _write_templates(chat, config)
        else:
            config = _read(origin / CONFIG)
            _copy(origin, place, chat)
            if special := _known(_read(origin / MAP), target):
                _write(place / MAP, special)
            if chat.origin != "target":
                _write_templates(chat, config)
        _write(place / CONFIG, _new_config(config, target, roles, model_config))
    except OSError as error:
        raise JobError(f"{place}: cannot be written ({error.strerror})") from error
    return _warnings(target, model_config)


def _folder_of(target_path: str | Path, target: Tokenizer) -> Path | None:
    """Return the folder whose files say what the target is; None if it has to be converted."""
    source = target.source
    if source is None or source.format != "hf":
        return None
    given = Path(target_path)
    file = source.path if not given.is_dir() else given / JSON
    if not file.is_file() or file.read_bytes() != source.content:
        return None
    return file.parent if file.name == JSON else None


def _convert(target: Tokenizer, place: Path) -> dict[str, Any]:
    """Write ``tokenizer.json`` and return what belongs into ``tokenizer_config.json``.

    Beside a file of another format there may be a ``tokenizer_config.json``, of which holds
    what has nothing to do with the class it was written for.
    """
    with TemporaryDirectory(prefix=".tokenizer.", dir=place) as temporary:
        # Apart from the model's config.json, which may replace the pre-tokenizer.
        origin = Path(temporary) / "converted"
        save(target, origin, "hf")
        shutil.copyfile(origin / JSON, place / JSON)
        config = _read(origin / CONFIG)
    if target.source is not None:
        beside = _read(target.source.path.with_name(CONFIG))
        config |= {name: value for name, value in beside.items() if name in _LASTING}
    return config


def _copy(origin: Path, place: Path, chat: Chat) -> None:
    """Copy the files of a tokenizer; its templates only if they are taken over."""
    for name in (*COPIED, *TEMPLATES):
        if name in TEMPLATES and chat.origin != "target":
            continue
        if (origin / name).is_dir():
            shutil.copytree(origin / name, place / name, dirs_exist_ok=True)
        elif (origin / name).is_file():
            shutil.copyfile(origin / name, place / name)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def _known(config: Mapping[str, Any], target: Tokenizer) -> dict[str, Any]:
    """Leave out the roles of tokens that are not there.

    transformers would give them ids of their own, which have no rows.
    """
    known = {*target.vocab.specials, *(token.content for token in target.added.tokens)}
    new = dict(config)
    for role in _KNOWN:
        token = new.get(f"{role}_token")
        if (token.get("content") if isinstance(token, Mapping) else token) not in known:
            new.pop(f"{role}_token", None)
    return new


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _new_config(
    config: Mapping[str, Any],
    target: Tokenizer,
    roles: Roles,
    model_config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return ``tokenizer_config.json``: the target's, with what its class or nobody said."""
    left_out = ("auto_map", "tokenizer_file", "special_tokens_map_file", "name_or_path")
    new = {name: value for name, value in config.items() if name not in left_out}
    if str(config.get("tokenizer_class", "")).startswith(_LEFT):
        new.setdefault("padding_side", "left")
    for role, text in texts_of(target, roles).items():
        if role in _KNOWN:
            new.setdefault(f"{role}_token", text)
    new = _known(new, target)
    for role in _KNOWN:
        if isinstance(token := new.get(f"{role}_token"), Mapping):
            new[f"{role}_token"] = {"__type": "AddedToken", **token}
    new["tokenizer_class"] = _CLASS
    new["model_input_names"] = _inputs(model_config)
    return new


def _inputs(model_config: Mapping[str, Any]) -> list[str]:
    """Name what the model takes; the segments of a pair where it has embeddings for them."""
    types = model_config.get("type_vocab_size")
    default = 2 if model_config.get("model_type") in ("albert", "bert", "electra") else 0
    has_types = (types if isinstance(types, int) else default) > 1
    return ["input_ids", *(["token_type_ids"] if has_types else []), "attention_mask"]


def _write_templates(chat: Chat, config: dict[str, Any]) -> None:
    """Put templates into ``tokenizer_config.json``, in the place of those that are there."""
    config.pop("chat_template", None)
    if set(chat.templates) == {"default"}:
        config["chat_template"] = chat.templates["default"]
    elif chat.templates:
        named = ({"name": name, "template": text} for name, text in chat.templates.items())
        config["chat_template"] = list(named)


def _warnings(target: Tokenizer, model_config: Mapping[str, Any]) -> list[str]:
    """Say which loader gives other ids, as far as that can be told without transformers."""
    kind = model_config.get("model_type")
    pattern = target.pattern.name if target.pattern is not None else None
    if kind not in REPLACING or pattern == "qwen2":
        return []
    return [
        f"transformers puts the pre-tokenizer of {kind} in the place of the target's when "
        "AutoTokenizer loads the folder: use PreTrainedTokenizerFast.from_pretrained"
    ]
