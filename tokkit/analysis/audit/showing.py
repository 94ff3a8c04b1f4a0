"""How an audit looks to people."""

from typing import TYPE_CHECKING, Any

from tokkit.analysis.audit.inventory import KINDS
from tokkit.analysis.audit.reachability import CAUSES
from tokkit.analysis.audit.scaffolding import SHARE
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    from tokkit.analysis.audit.run import Audit
    from tokkit.analysis.audit.scaffolding import Scaffolding

_SHOWN = 6
_LETTERS = 32


def show(found: "Audit") -> Any:
    """Return the tables one below the other, and what somebody should do something about."""
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [_reach_table(found), _kind_table(found)]
    parts += [_text_table(found, found.in_texts)] if found.in_texts else []
    parts += [found.faithfulness]
    parts += [found.undertrained] if found.undertrained else []
    parts += [Text(f"finding: {each}") for each in _findings(found)]
    return Group(*parts)


def _reach_table(found: "Audit") -> Any:
    from tokkit.analysis.showing import table

    reached = found.reachability
    shown = table(f"{found.name}: which tokens some text gives", "", "tokens", "examples")
    shown.columns[2].justify = "left"
    shown.columns[2].no_wrap = False
    witnessed = sorted(reached.witnesses)
    shown.add_row("by their own bytes", f"{int(reached.by_itself.sum()):,}", "")
    examples = ", ".join(
        f"{_spell(found, token)} in {spell_bytes(reached.witnesses[token])}"
        for token in witnessed[:3]
    )
    shown.add_row("among others", f"{len(witnessed):,}", examples)
    for cause, meaning in CAUSES.items():
        tokens = sorted(token for token, each in reached.causes.items() if each == cause)
        if tokens:
            shown.add_row(f"never: {meaning}", f"{len(tokens):,}", _examples(found, tokens))
    scaffolding = found.scaffolding
    if scaffolding:
        examples = _examples(found, scaffolding)
        shown.add_row("of these, merged on into others", f"{len(scaffolding):,}", examples)
    unknown = _unknown(found)
    if unknown:
        shown.add_row("no text found", f"{len(unknown):,}", _examples(found, unknown))
    return shown


def _kind_table(found: "Audit") -> Any:
    from tokkit.analysis.showing import table

    shown = table(f"{found.name}: kinds of tokens", "", "tokens", "examples")
    shown.columns[2].justify = "left"
    shown.columns[2].no_wrap = False
    for name, tokens in found.inventory.kinds.items():
        if tokens:
            shown.add_row(KINDS[name], f"{len(tokens):,}", _examples(found, tokens))
    lengths = ", ".join(f"{n}: {count:,}" for n, count in found.inventory.digits.items())
    shown.add_row("numbers by digits", "", lengths)
    words, variants = found.inventory.variants
    shown.add_row(f"other case or space, of {words:,} words", f"{variants:,}", "")
    return shown


def _text_table(found: "Audit", texts: "Scaffolding") -> Any:
    from tokkit.analysis.showing import table

    shown = table(
        f"{found.name}: tokens of the texts given ({texts.documents:,}; {texts.bytes:,} bytes)",
        "",
        "tokens",
        "examples",
    )
    shown.columns[2].justify = "left"
    shown.columns[2].no_wrap = False
    used = texts.counts > 0
    filled = [token for token, data in enumerate(found.tokenizer.vocab.tokens) if data]
    absent = [token for token in filled if not used[token]]
    shown.add_row("in the texts", f"{int(used.sum()):,}", "")
    shown.add_row("not in them", f"{len(absent):,}", _examples(found, absent))
    if texts.merged_on is None:
        return shown
    label = f"scaffolding: {SHARE:.0%} or more merged on"
    shown.add_row(label, f"{len(texts.tokens):,}", _examples(found, texts.tokens))
    never = texts.never_left
    shown.add_row("of these, none is left", f"{len(never):,}", _examples(found, never))
    return shown


def _findings(found: "Audit") -> list[str]:
    """Say what somebody should do something about."""
    texts = []
    if found.looked_up:
        texts.append(
            f"{len(found.looked_up):,} tokens, such as {_examples(found, found.looked_up)}, "
            "are there only because whole pieces are looked up before merging "
            "(ignore_merges): a converter that drops the setting changes what text becomes"
        )
    if found.leaks:
        names = _examples(found, found.leaks.values())
        texts.append(
            f"plain text can give {len(found.leaks):,} special tokens ({names}): encode "
            "text that is not yours without them (parse_specials=False here, "
            "split_special_tokens in transformers)"
        )
    if found.leaks_apart:
        texts.append(
            f"of these, plain text gives {len(found.leaks_apart):,} even so "
            f"({_examples(found, found.leaks_apart.values())}), as they are tokens of the "
            "vocabulary too: give them texts that nobody writes"
        )
    unknown = _unknown(found)
    if unknown and not found.reachability.exact:
        texts.append(
            "where pieces are cut was found by trying: that there is no text for "
            f"{len(unknown):,} tokens is not proven"
        )
    return texts


def _unknown(found: "Audit") -> list[int]:
    """Return the tokens that no text was found for."""
    tokens = enumerate(found.tokenizer.vocab.tokens)
    reached = found.reachability
    return [token for token, data in tokens if data and reached.status(token) == "unknown"]


def _spell(found: "Audit", token: int) -> str:
    vocab = found.tokenizer.vocab
    names = {number: text for text, number in vocab.specials.items()}
    name = names.get(token, "").encode()
    spelled = spell_bytes(name or vocab.tokens[token]) or f"id {token}"
    return spelled if len(spelled) <= _LETTERS else f"{spelled[: _LETTERS - 1]}…"


def _examples(found: "Audit", tokens: Any) -> str:
    shown = [_spell(found, token) for token in list(tokens)[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(tokens) > _SHOWN else "")
