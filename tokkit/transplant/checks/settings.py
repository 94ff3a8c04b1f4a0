"""Checking settings, tokenizer and chat template of a folder through transformers."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import transformers

from tokkit.formats.check import awkward_texts, compare
from tokkit.transplant.checks.check import Check, Facts, conclude
from tokkit.transplant.settings.chat import check_chat
from tokkit.transplant.settings.files import POSITIONED
from tokkit.transplant.settings.templates import read_templates


def check_config(facts: Facts) -> Iterator[Check]:
    """Compare sizes and ids with the tokenizer's."""
    config = transformers.AutoConfig.from_pretrained(facts.folder)
    text = config.get_text_config()
    problems = []
    if text.vocab_size != facts.rows:
        problems.append(f"vocab_size is {text.vocab_size}, and there are {facts.rows} rows")
    for role in ("bos", "eos", "pad"):
        found, wanted = getattr(text, f"{role}_token_id", None), facts.roles.get(role)
        if role == "pad" and (wanted is None or config.model_type in POSITIONED):
            wanted = found
        if wanted is not None and wanted not in (found if isinstance(found, list) else [found]):
            problems.append(f"{role}_token_id is {found}, and the tokenizer's is {wanted}")
        problems += _beyond(f"{role}_token_id", found, facts.rows)
    yield conclude("config.json", problems, "sizes and ids are the tokenizer's")


def _beyond(name: str, value: Any, rows: int) -> list[str]:
    ids = value if isinstance(value, list | tuple) else [value]
    return [
        f"{name} {each} has no row" for each in ids if isinstance(each, int) and each >= rows
    ]


def check_generation(facts: Facts) -> Iterator[Check]:
    """Compare what ends generation with what ends a text for the tokenizer."""
    config = transformers.GenerationConfig.from_pretrained(facts.folder)
    problems = []
    ends = config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    if facts.roles.get("eos", listed[0]) not in listed:
        problems.append(f"eos_token_id is {ends}, without the tokenizer's {facts.roles['eos']}")
    if facts.roles.get("bos", config.bos_token_id) != config.bos_token_id:
        problems.append(f"bos_token_id is {config.bos_token_id}, not {facts.roles['bos']}")
    for name, value in config.to_diff_dict().items():
        if name.endswith("_token_id") or name in ("suppress_tokens", "begin_suppress_tokens"):
            problems += _beyond(name, value, facts.rows)
    yield conclude(
        "generation_config.json", problems, "generation ends where the tokenizer says"
    )


def check_tokenizer(facts: Facts) -> Iterator[Check]:
    """Compare ids through AutoTokenizer; where it differs, find a loader that does not."""
    loaders: Mapping[str, Callable[[], Any]] = {
        "AutoTokenizer": lambda: transformers.AutoTokenizer.from_pretrained(facts.folder),
        "PreTrainedTokenizerFast": lambda: transformers.PreTrainedTokenizerFast.from_pretrained(
            facts.folder
        ),
    }
    failures = {name: _difference(load, facts) for name, load in loaders.items()}
    first = failures["AutoTokenizer"]
    working = [name for name, failure in failures.items() if failure is None]
    if first is None:
        yield Check("tokenizer", "ok", "AutoTokenizer gives the target's ids on awkward text")
    elif working:
        detail = f"{first} through AutoTokenizer; load it with {working[0]}.from_pretrained"
        yield Check("tokenizer", "warning", detail)
    else:
        yield Check("tokenizer", "failed", f"{first} through AutoTokenizer and other loaders")


def _difference(load: Callable[[], Any], facts: Facts) -> str | None:
    """Load a tokenizer; what is wrong with it in words, None if nothing."""
    try:
        loaded = load()
    except Exception as error:  # transformers raises whatever a broken folder leads it to
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return f"it cannot be loaded ({lines[0]})"
    if len(loaded) > facts.rows:
        return f"it has {len(loaded)} tokens for {facts.rows} rows"
    for role in ("bos", "eos"):
        found, wanted = getattr(loaded, f"{role}_token_id"), facts.roles.get(role)
        if found is not None and found != wanted:
            return f"its {role} is {found} and not {wanted}"
    mismatch = compare(
        facts.target,
        lambda text: list(loaded.encode(text, add_special_tokens=False)),
        awkward_texts(facts.target),
        parse_specials=True,
    )
    return None if mismatch is None else f"to tokkit {mismatch}"


def check_template(facts: Facts) -> Iterator[Check]:
    """Render the chat template that was written, if there is one."""
    templates = read_templates(facts.folder)
    if not templates:
        yield Check("chat template", "ok", "there is none")
        return
    generation = json.loads((facts.folder / "generation_config.json").read_bytes())
    ends = generation.get("eos_token_id", [])
    listed = ends if isinstance(ends, list) else [ends]
    template = templates.get("default", next(iter(templates.values())))
    problems = list(check_chat(template, facts.target, facts.roles, ends=listed))
    yield conclude("chat template", problems, "every marker is one token", "warning")
