"""One audit: everything that can be said of a tokenizer, and of a model by its embeddings."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.analysis.audit.faithfulness import Faithfulness, faithfulness
from tokkit.analysis.audit.inventory import Inventory, take_inventory
from tokkit.analysis.audit.proofs import inner_segmenter, unmergeable
from tokkit.analysis.audit.reachability import Reachability, reach
from tokkit.analysis.audit.scaffolding import Scaffolding, find_scaffolding
from tokkit.analysis.audit.undertrained import undertrained as find_undertrained
from tokkit.analysis.audit.undertrained_result import Undertrained
from tokkit.progress import Progress, silent
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8
from tokkit.visible import spell_bytes
from tokkit.weights.checkpoint import Checkpoint

if TYPE_CHECKING:
    import pandas as pd


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
        leaks_apart: Those that it gives even if they are told apart, as pieces of text may
            become them.
        faithfulness: What is kept of text.
        undertrained: Which tokens a model has hardly been trained on, if one was given.
        in_texts: How often tokens are in texts, and merged on into others, if some were given.
    """

    name: str
    tokenizer: Tokenizer
    inventory: Inventory
    reachability: Reachability
    looked_up: tuple[int, ...]
    leaks: dict[str, int]
    leaks_apart: dict[str, int]
    faithfulness: Faithfulness
    undertrained: Undertrained | None = None
    in_texts: Scaffolding | None = None

    @property
    def not_by_itself(self) -> list[int]:
        """Tokens that are text, and that this text by itself does not give."""
        found = self.reachability.by_itself
        return [
            token
            for token, data in enumerate(self.tokenizer.vocab.tokens)
            if data and is_utf8(data) and not found[token]
        ]

    @property
    def scaffolding(self) -> list[int]:
        """Tokens that no text gives, but that merges build others from."""
        segmenter = inner_segmenter(self.tokenizer.segmenter)
        if not isinstance(segmenter, BPE):
            return []
        parts = set(segmenter.merges[:, :2].ravel().tolist())
        return [token for token in sorted(self.reachability.causes) if token in parts]

    @property
    def kinds(self) -> dict[str, list[int]]:
        """The ids of each kind; of those that only texts show, if there are some."""
        kinds = {name: list(tokens) for name, tokens in self.inventory.kinds.items()}
        if self.in_texts is not None and self.in_texts.merged_on is not None:
            kinds["scaffolding"] = self.in_texts.tokens
        return kinds

    def frame(self) -> "pd.DataFrame":
        """Return one row per token.

        Columns: ``id``, ``text`` (as people read it; of special tokens, how they are written),
        ``hex``, ``status`` (reachable, unreachable, unknown, special or unused), ``cause``,
        ``witness`` (a text that gives it, where its own bytes do not), and ``kinds``, joined by
        a semicolon; with texts, ``count`` and ``merged_on``, see `Scaffolding`.
        """
        import pandas as pd

        frame = pd.DataFrame(self._rows())
        if self.in_texts is not None:
            frame["count"] = self.in_texts.counts
            frame["merged_on"] = self.in_texts.merged_on
        return frame

    def _rows(self) -> list[dict[str, Any]]:
        """Return what is found of each token."""
        kinds: dict[int, list[str]] = {}
        for name, tokens in self.kinds.items():
            for token in tokens:
                kinds.setdefault(token, []).append(name)
        names = {token: text.encode() for text, token in self.tokenizer.vocab.specials.items()}
        rows = []
        for token, data in enumerate(self.tokenizer.vocab.tokens):
            own = kinds.get(token, [])
            plain = next((each for each in ("special", "unused") if each in own), "")
            rows.append(
                {
                    "id": token,
                    "text": spell_bytes(data or names.get(token, b"")),
                    "hex": data.hex(),
                    "status": plain or self.reachability.status(token),
                    "cause": self.reachability.causes.get(token, ""),
                    "witness": self.reachability.witnesses.get(token, b"").decode(),
                    "kinds": ";".join(own),
                }
            )
        return rows

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
            "scaffolding": [self._describe(token) for token in self.scaffolding],
            "only_by_lookup": len(self.looked_up),
            "special_from_text": self.leaks,
            "special_from_text_told_apart": self.leaks_apart,
            "faithfulness": self.faithfulness.as_json(),
            "undertrained": self.undertrained and self.undertrained.as_json(),
            "in_texts": self.in_texts and self.in_texts.as_json(),
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
        from tokkit.analysis.audit.showing import show

        return show(self)


def audit(
    tokenizer: Tokenizer,
    *,
    name: str = "tokenizer",
    model: str | Path | None = None,
    verify: int = 0,
    documents: Iterable[bytes] | None = None,
    progress: Progress = silent,
) -> Audit:
    """Audit a tokenizer: its vocabulary, and what is kept of text.

    Args:
        tokenizer: The tokenizer.
        name: What it is called.
        model: A model with this tokenizer; None: its tokens are not looked at.
        verify: How many tokens the model is asked to repeat; see `undertrained`.
        documents: Texts that show which tokens only serve to build others; read once.
        progress: Told what is done.

    Raises:
        ModelError: If the model cannot be read.
        CorpusError: If documents are given that have no tokens.
    """
    # What cannot be read is said before the work is done.
    if model is not None:
        Checkpoint.open(model)
    in_texts = None if documents is None else find_scaffolding(tokenizer, documents, progress)
    found = reach(tokenizer, progress)
    segmenter = inner_segmenter(tokenizer.segmenter)
    looked_up = unmergeable(tokenizer) if getattr(segmenter, "ignore_merges", False) else []
    return Audit(
        name,
        tokenizer,
        take_inventory(tokenizer),
        found,
        tuple(looked_up),
        specials_from_text(tokenizer),
        specials_from_text(tokenizer, parse_specials=False),
        faithfulness(tokenizer, name=name, progress=progress),
        None
        if model is None
        else find_undertrained(model, tokenizer, found, verify=verify, progress=progress),
        in_texts,
    )


def specials_from_text(
    tokenizer: Tokenizer, *, parse_specials: bool | None = None
) -> dict[str, int]:
    """Return the special tokens that their own text gives, by that text.

    Args:
        tokenizer: The tokenizer.
        parse_specials: See `Tokenizer.encode`; None: what happens where nobody says anything.
    """
    specials = tokenizer.vocab.specials
    encoded = tokenizer.encode_batch(list(specials), parse_specials=parse_specials)
    return {
        text: token
        for (text, token), ids in zip(specials.items(), encoded, strict=True)
        if token in ids.tolist()
    }
