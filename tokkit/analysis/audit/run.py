"""One audit: everything that can be said of a tokenizer without a text or a model."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokkit.analysis.audit.faithfulness import Faithfulness, faithfulness
from tokkit.analysis.audit.inventory import KINDS, Inventory, take_inventory
from tokkit.analysis.audit.reachability import CAUSES, Reachability, reach, unmergeable
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], None]
_SHOWN = 6


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        name: What the tokenizer is called.
        tokenizer: The tokenizer.
        inventory: Its tokens by kind.
        reachability: Which of them text gives.
        looked_up: Tokens that exist only because whole pieces are looked up before merging;
            a converter that drops ``ignore_merges`` loses them.
        leaks: Special tokens that their own text gives, by that text: whoever can write text
            for a model can write these, unless they are told apart when it is encoded.
        faithfulness: What is kept of text.
    """

    name: str
    tokenizer: Tokenizer
    inventory: Inventory
    reachability: Reachability
    looked_up: tuple[int, ...]
    leaks: dict[str, int]
    faithfulness: Faithfulness

    @property
    def not_by_itself(self) -> list[int]:
        """Tokens that are text, and that this text by itself does not give."""
        found = self.reachability.by_itself
        return [
            token
            for token, data in enumerate(self.tokenizer.vocab.tokens)
            if data and is_utf8(data) and not found[token]
        ]

    def frame(self) -> "pd.DataFrame":
        """Return one row per token.

        Columns: ``id``, ``text`` (as people read it), ``hex``, ``status`` (reachable,
        unreachable, unknown, special or unused), ``cause``, ``witness`` (a text that gives it,
        where its own bytes do not), and ``kinds``, joined by a semicolon.
        """
        import pandas as pd

        kinds: dict[int, list[str]] = {}
        for name, tokens in self.inventory.kinds.items():
            for token in tokens:
                kinds.setdefault(token, []).append(name)
        rows = []
        for token, data in enumerate(self.tokenizer.vocab.tokens):
            own = kinds.get(token, [])
            plain = next((each for each in ("special", "unused") if each in own), "")
            rows.append(
                {
                    "id": token,
                    "text": spell_bytes(data),
                    "hex": data.hex(),
                    "status": plain or self.reachability.status(token),
                    "cause": self.reachability.causes.get(token, ""),
                    "witness": self.reachability.witnesses.get(token, b"").decode(),
                    "kinds": ";".join(own),
                }
            )
        return pd.DataFrame(rows)

    def as_json(self) -> dict[str, Any]:
        """Everything but the list of all tokens, as JSON."""
        found, vocab = self.reachability, self.tokenizer.vocab
        filled = [token for token, data in enumerate(vocab.tokens) if data]
        status = Counter(found.status(token) for token in filled)
        return {
            "tokenizer": self.name,
            "size": len(vocab),
            "tokens_with_bytes": len(filled),
            "kinds": {name: len(tokens) for name, tokens in self.inventory.kinds.items()},
            "digit_tokens_by_length": {
                str(length): count for length, count in self.inventory.digits.items()
            },
            "longest_bytes": self.inventory.longest[1],
            "words_with_variants": self.inventory.variants[0],
            "variant_tokens": self.inventory.variants[1],
            "reachable": status["reachable"],
            "unreachable": status["unreachable"],
            "unknown": status["unknown"],
            "exact": found.exact,
            "unreachable_by_cause": dict(Counter(found.causes.values())),
            "not_by_themselves": [self._describe(token) for token in self.not_by_itself[:1000]],
            "not_by_themselves_count": len(self.not_by_itself),
            "unreachable_tokens": [self._describe(token) for token in sorted(found.causes)],
            "unknown_tokens": [
                self._describe(token) for token in filled if found.status(token) == "unknown"
            ],
            "only_by_lookup": len(self.looked_up),
            "special_from_text": self.leaks,
            "faithfulness": self.faithfulness.as_json(),
        }

    def _describe(self, token: int) -> dict[str, Any]:
        """Describe a token that its own bytes do not give."""
        data, found = self.tokenizer.vocab.tokens[token], self.reachability
        described = {"id": token, "text": spell_bytes(data), "status": found.status(token)}
        if token in found.witnesses:
            described["witness"] = found.witnesses[token].decode()
        if token in found.causes:
            described["cause"] = found.causes[token]
        return described

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = [self._reach_table(), self._kind_table(), self.faithfulness]
        parts += [Text(f"finding: {each}") for each in self._findings()]
        return Group(*parts)

    def _reach_table(self) -> Any:
        from tokkit.analysis.showing import table

        found, vocab = self.reachability, self.tokenizer.vocab
        shown = table(f"{self.name}: which tokens some text gives", "", "tokens", "examples")
        shown.columns[2].justify = "left"
        shown.columns[2].no_wrap = False
        witnessed = sorted(found.witnesses)
        shown.add_row("by their own bytes", f"{int(found.by_itself.sum()):,}", "")
        examples = ", ".join(
            f"{self._spell(token)} in {spell_bytes(found.witnesses[token])}"
            for token in witnessed[:3]
        )
        shown.add_row("among others", f"{len(witnessed):,}", examples)
        for cause, meaning in CAUSES.items():
            tokens = sorted(token for token, each in found.causes.items() if each == cause)
            if tokens:
                shown.add_row(f"never: {meaning}", f"{len(tokens):,}", self._examples(tokens))
        unknown = [
            token
            for token, data in enumerate(vocab.tokens)
            if data and found.status(token) == "unknown"
        ]
        if unknown:
            shown.add_row("no text found", f"{len(unknown):,}", self._examples(unknown))
        return shown

    def _kind_table(self) -> Any:
        from tokkit.analysis.showing import table

        shown = table(f"{self.name}: kinds of tokens", "", "tokens", "examples")
        shown.columns[2].justify = "left"
        shown.columns[2].no_wrap = False
        for name, tokens in self.inventory.kinds.items():
            if tokens:
                shown.add_row(KINDS[name], f"{len(tokens):,}", self._examples(tokens))
        lengths = ", ".join(f"{n}: {count:,}" for n, count in self.inventory.digits.items())
        shown.add_row("numbers by digits", "", lengths)
        words, variants = self.inventory.variants
        shown.add_row(f"other case or space, of {words:,} words", f"{variants:,}", "")
        return shown

    def _findings(self) -> list[str]:
        """Say what somebody should do something about."""
        texts = []
        if self.looked_up:
            texts.append(
                f"{len(self.looked_up):,} tokens, such as {self._examples(self.looked_up)}, "
                "are there only because whole pieces are looked up before merging "
                "(ignore_merges): a converter that drops the setting changes what text becomes"
            )
        if self.leaks:
            names = ", ".join(list(self.leaks)[:_SHOWN])
            texts.append(
                f"plain text can give {len(self.leaks):,} special tokens ({names}): encode "
                "text that is not yours without them (parse_specials=False here, "
                "split_special_tokens in transformers)"
            )
        if not self.reachability.exact:
            texts.append("what rules tokens out was found by trying, so nothing is proven")
        return texts

    def _spell(self, token: int) -> str:
        vocab = self.tokenizer.vocab
        names = {number: text for text, number in vocab.specials.items()}
        return names.get(token) or spell_bytes(vocab.tokens[token])[:24] or f"id {token}"

    def _examples(self, tokens: Any) -> str:
        shown = [self._spell(token) for token in list(tokens)[:_SHOWN]]
        return ", ".join(shown) + (", …" if len(tokens) > _SHOWN else "")


def audit(
    tokenizer: Tokenizer, *, name: str = "tokenizer", progress: Progress | None = None
) -> Audit:
    """Audit a tokenizer: its vocabulary, and what is kept of text.

    Args:
        tokenizer: The tokenizer.
        name: What it is called.
        progress: Told what is done.
    """
    segmenter = getattr(tokenizer.segmenter, "inner", tokenizer.segmenter)
    looked_up = unmergeable(tokenizer) if getattr(segmenter, "ignore_merges", False) else []
    return Audit(
        name,
        tokenizer,
        take_inventory(tokenizer),
        reach(tokenizer, progress),
        tuple(looked_up),
        _leaks(tokenizer),
        faithfulness(tokenizer, name=name, progress=progress),
    )


def _leaks(tokenizer: Tokenizer) -> dict[str, int]:
    """Return the special tokens that their text gives where nobody asks for anything."""
    specials = tokenizer.vocab.specials
    encoded = tokenizer.encode_batch(list(specials))
    return {
        text: token
        for (text, token), ids in zip(specials.items(), encoded, strict=True)
        if token in ids.tolist()
    }
