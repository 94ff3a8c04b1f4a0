"""``config.json`` and ``generation_config.json`` of a model that gets another tokenizer."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tokkit.transplant.settings.ids import LISTS, SEQUENCES, SettingIds
from tokkit.transplant.settings.translation import Translation
from tokkit.weights.checkpoint import text_config

POSITIONED = frozenset(
    (
        *("camembert", "data2vec-text", "esm", "ibert", "layoutlmv3", "lilt", "longformer"),
        *("luke", "markuplm", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta"),
        *("xlm-roberta-xl", "xmod"),
    )
)
"""Model types that count positions from ``pad_token_id`` on."""
_SIZES = ("vocab_size", "padded_vocab_size")
_BASIC = ("bos", "eos", "pad")
_DTYPES = ("dtype", "torch_dtype")
_NOT_TEXT = ("vision", "audio", "speech", "image")
_OPTIONAL = ("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id")
_UNTRANSLATED = -1
"""Written for a marker (of an image, say) without counterpart: no token of a text has it."""
_ABSENT = object()


@dataclass(frozen=True)
class Rewritten:
    """A settings file for the new tokenizer.

    Attributes:
        content: What it holds now.
        changes: What it held before and holds now, by the dotted name of each setting that
            differs; None where there was nothing, or is nothing now.
        warnings: What could not be kept, in words.
    """

    content: dict[str, Any]
    changes: Mapping[str, tuple[Any, Any]]
    warnings: tuple[str, ...]


def new_config(
    config: Mapping[str, Any],
    rows: int,
    translation: Translation,
    *,
    tied: bool,
    dtype: str | None = None,
) -> Rewritten:
    """Return ``config.json`` for the new tokenizer; what has nothing to do with it stays.

    The size of the vocabulary, the ids of special tokens and whether the embeddings are tied
    are written out even where they equal a default, which differs between classes.

    Args:
        config: What the source's says.
        rows: Rows of the new embedding matrix.
        translation: From the source's ids to the target's.
        tied: Whether the output matrix is the input matrix.
        dtype: What the weights were converted to, such as ``"bfloat16"``; None: nothing.
    """
    content = deepcopy(dict(config))
    ids = SettingIds(translation, "config.json")
    main: Any = text_config(content)
    old_size = main.get("vocab_size", content.get("vocab_size"))
    main["vocab_size"] = rows
    for place in _places(content):
        for size in _SIZES:
            if old_size is not None and place.get(size) == old_size:
                place[size] = rows
        _set_basic(place, ids, always=place is main)
        _set_others(place, ids)
        if "tie_word_embeddings" in place:
            place["tie_word_embeddings"] = tied
        place.update({name: dtype for name in _DTYPES if dtype and name in place})
    content["tie_word_embeddings"] = tied
    if dtype and not any(name in place for place in (content, main) for name in _DTYPES):
        content["dtype"] = dtype
    content.pop("tokenizer_class", None)
    if "AutoTokenizer" in content.get("auto_map", {}):
        del content["auto_map"]["AutoTokenizer"]
    _keep_positions(config, content, ids)
    return Rewritten(content, _changes(config, content), tuple(ids.warnings))


def _places(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a configuration and the nested ones that know text."""
    yield config
    for name, value in config.items():
        if isinstance(value, dict) and not any(word in name for word in _NOT_TEXT):
            yield from _places(value)


def _set_basic(place: dict[str, Any], ids: SettingIds, *, always: bool) -> None:
    """Write bos, eos and pad; where lists were, lists stay."""
    roles = ids.translation.target_roles
    for role in _BASIC:
        old = place.get(f"{role}_token_id")
        if old is None and not always:
            continue
        new: Any = roles.get(role)
        if isinstance(old, list | tuple):
            new = ids.ends(old) if role == "eos" else [new]
        if role == "pad" and new is None and old is not None and _is_seq2seq(place):
            new = roles.get("eos")
        place[f"{role}_token_id"] = new


def _is_seq2seq(place: Mapping[str, Any]) -> bool:
    return bool(place.get("is_encoder_decoder"))


def _set_others(place: dict[str, Any], ids: SettingIds) -> None:
    """Write the ids of other special tokens, and lists of ids that older files have here."""
    translation = ids.translation
    for name, old in list(place.items()):
        role = name.removesuffix("_token_id").removesuffix("_token_index")
        if old is None or role in _BASIC:
            continue
        if name in (*_OPTIONAL, *LISTS, *SEQUENCES):
            place[name] = ids.translate(name, old)
        elif role != name and type(old) is int:
            found = translation.target_roles.get(role, translation.token(old))
            place[name] = _UNTRANSLATED if found is None else found
            if found is None:
                ids.warnings.append(
                    f"config.json: {name} was {ids.show(old)}, for which the target tokenizer "
                    "has nothing; what needs it will not work"
                )


def _keep_positions(
    config: Mapping[str, Any], content: dict[str, Any], ids: SettingIds
) -> None:
    """Leave pad_token_id alone where it shifts the rows of the position embeddings."""
    kind, old = content.get("model_type"), config.get("pad_token_id")
    if kind not in POSITIONED or type(old) is not int or old == content.get("pad_token_id"):
        return
    content["pad_token_id"] = old
    target = ids.translation.target
    written = target.decode([old], specials=True) if old < len(target) else b"none"
    name = written.decode("utf-8", "backslashreplace")
    ids.warnings.append(
        f"config.json: {kind} counts positions from pad_token_id on, so that stays {old}, "
        f"which is {name!r} in the target tokenizer; positions are not right in texts with that"
    )


def new_generation_config(
    content: Mapping[str, Any] | None, translation: Translation
) -> Rewritten:
    """Return ``generation_config.json`` for the new tokenizer.

    Everything stays that has no ids in it. What ends a text for the target always ends one;
    with it whatever the source's file lists besides and the target has. Ids without
    counterpart are left out, each with a warning.

    Args:
        content: What the source's says; None: it has none.
        translation: From the source's ids to the target's.
    """
    before = dict(content or {})
    roles = translation.target_roles
    ids = SettingIds(translation, "generation_config.json")
    after: dict[str, Any] = {}
    for name, old in before.items():
        has_ids = name in (*LISTS, *SEQUENCES) or name.endswith(("_token_id", "_to_id"))
        is_to_do = has_ids and old is not None and not _is_basic(name)
        after[name] = ids.translate(name, old) if is_to_do else old
    after |= {f"{role}_token_id": roles.get(role) for role in ("bos", "pad")}
    if before.get("pad_token_id") is not None and "pad" not in roles:
        after["pad_token_id"] = roles.get("eos")
    old_ends: Any = before.get("eos_token_id")
    was_list = isinstance(old_ends, list | tuple)
    ends = ids.ends(old_ends if was_list else [each for each in [old_ends] if each is not None])
    after["eos_token_id"] = ends if was_list or len(ends) > 1 else next(iter(ends), None)
    if not ends:
        ids.warnings.append(
            "generation_config.json: the target tokenizer has no token that ends a text; "
            "generation goes on to the longest length"
        )
    # It would let transformers read the ids from config.json again, which may have fewer.
    after.pop("_from_model_config", None)
    kept = {name: value for name, value in after.items() if value not in (None, [], {})}
    return Rewritten(kept, _changes(before, kept), tuple(ids.warnings))


def _is_basic(name: str) -> bool:
    return name.removesuffix("_token_id") in _BASIC


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Compare two files setting by setting."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in {**before, **after}:
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= _changes(old, new, f"{path}{name}.")
        elif old is _ABSENT or new is _ABSENT or old != new:
            found[f"{path}{name}"] = (
                None if old is _ABSENT else old,
                None if new is _ABSENT else new,
            )
    return found
