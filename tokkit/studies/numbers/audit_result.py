"""What an audit of numbers found, as frames, JSON and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tokkit.studies.numbers.audit_contexts import Consistency, Example
from tokkit.studies.numbers.audit_coverage import Integers, Problems
from tokkit.studies.numbers.audit_cuts import Cut, Verdict, share_of_rule, show_cut, spell

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class Width:
    """How numbers of one width are cut.

    Attributes:
        form: How they stand, a name of `tokkit.studies.numbers.audit_coverage.FORMS`.
        width: How many digits they have.
        n: How many were tried.
        exhaustive: Whether those are all there are, leading zeros included.
        verdict: The rule that explains the cuts of this width.
        patterns: How many numbers are cut into tokens of so many digits, the most frequent
            first: ``{(2, 2): 6000, ...}``.
        integers: The same of those without leading zeros.
        size: The size of groups in `from_left` and `from_right`.
    """

    form: str
    width: int
    n: int
    exhaustive: bool
    verdict: Verdict
    patterns: Mapping[Cut, int]
    integers: Mapping[Cut, int]
    size: int

    @property
    def mean_tokens(self) -> float | None:
        """Tokens with digits per number whose digits are found; None if there is none."""
        known = {cut: count for cut, count in self.patterns.items() if cut}
        tokens = sum(len(cut) * count for cut, count in known.items())
        return tokens / sum(known.values()) if known else None

    @property
    def one_token(self) -> float:
        """The share of numbers whose digits are one token."""
        return self.patterns.get((self.width,), 0) / self.n

    @property
    def from_left(self) -> float:
        """The share of numbers in groups of `size` from the left."""
        return share_of_rule(self.patterns, self.size, from_right=False)

    @property
    def from_right(self) -> float:
        """The share of numbers in groups of `size` from the right."""
        return share_of_rule(self.patterns, self.size, from_right=True)

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "patterns": {spell(cut): count for cut, count in self.patterns.items()},
            "integers": {spell(cut): count for cut, count in self.integers.items()},
        }


_PLAIN = (
    *("form", "width", "n", "exhaustive", "verdict", "mean_tokens", "one_token"),
    *("size", "from_left", "from_right"),
)


@dataclass(frozen=True)
class TokenizerAudit:
    """How one tokenizer cuts numbers.

    Attributes:
        name: Its name.
        vocab_size: How many ids it has.
        rules: What explains all its cuts, and the size of groups, by how numbers stand.
        examples: The cuts of 1, 12, 123 and so on.
        widths: The cuts of each width, by how numbers stand.
        contexts: How often contexts change the cuts.
        formats: How other ways to write numbers are cut.
        digit_tokens: How many tokens are digits, by their number, with a space and without.
        integers: Which integers are one token.
        problems: Which problems consist of such integers.
    """

    name: str
    vocab_size: int
    rules: Mapping[str, tuple[Verdict, int]]
    examples: Mapping[str, Cut]
    widths: Sequence[Width]
    contexts: Mapping[str, Consistency]
    formats: Mapping[str, Example]
    digit_tokens: Mapping[str, Mapping[int, int]]
    integers: Sequence[Integers]
    problems: Sequence[Problems]

    @property
    def scheme(self) -> str:
        """The rule in words, such as ``"right-to-left, groups of 3"``."""
        return self.scheme_of("alone")

    def scheme_of(self, form: str) -> str:
        """The rule for numbers that stand so, in words."""
        verdict, size = self.rules[form]
        if verdict not in ("left-to-right", "right-to-left", "either"):
            return verdict
        rows = (row for row in self.widths if row.form == form)
        exact = all(max(row.from_left, row.from_right) == 1 for row in rows)
        return f"{verdict}, groups of {size}{'' if exact else ', some cut further'}"

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "tokenizer": self.name,
            "vocab_size": self.vocab_size,
            "rules": {
                form: {"verdict": verdict, "size": size}
                for form, (verdict, size) in self.rules.items()
            },
            "examples": {text: show_cut(text, cut) for text, cut in self.examples.items()},
            "widths": [row.as_json() for row in self.widths],
            "contexts": {name: asdict(row) for name, row in self.contexts.items()},
            "formats": {name: asdict(row) for name, row in self.formats.items()},
            "digit_tokens": {form: dict(row) for form, row in self.digit_tokens.items()},
            "integers": [asdict(row) for row in self.integers],
            "problems": [asdict(row) for row in self.problems],
        }


@dataclass(frozen=True)
class NumberAudit:
    """How several tokenizers cut numbers.

    Attributes:
        tokenizers: What was found of each.
        seed: Of the numbers that were drawn.
    """

    tokenizers: Sequence[TokenizerAudit]
    seed: int

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {"seed": self.seed, "tokenizers": [each.as_json() for each in self.tokenizers]}

    @property
    def frames(self) -> "dict[str, pd.DataFrame]":
        """Tidy frames, one row per tokenizer and fact.

        ``widths``, ``patterns``, ``contexts``, ``formats``, ``digit_tokens``, ``integers`` and
        ``problems``.
        """
        import pandas as pd

        rows: dict[str, list[dict[str, Any]]] = {}
        for each in self.tokenizers:
            for table, found in _rows(each):
                rows.setdefault(table, []).append({"tokenizer": each.name, **found})
        return {table: pd.DataFrame(found) for table, found in rows.items()}

    def __rich__(self) -> "RenderableType":
        from tokkit.studies.numbers.audit_tables import show

        return show(self)


def _rows(audit: TokenizerAudit) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every row of every frame, with the frame's name."""
    for row in audit.widths:
        yield "widths", {name: getattr(row, name) for name in _PLAIN}
        for cut, count in row.patterns.items():
            place = {"form": row.form, "width": row.width, "pattern": spell(cut)}
            without = row.integers.get(cut, 0)
            found = {"count": count, "integers": without, "share": count / row.n}
            yield "patterns", {**place, **found}
    for name, consistency in audit.contexts.items():
        yield "contexts", {"name": name, **asdict(consistency)}
    for name, example in audit.formats.items():
        tokens = "|".join(example.tokens)
        yield "formats", {"name": name, **asdict(example), "tokens": tokens}
    for form, counts in audit.digit_tokens.items():
        for digits, count in counts.items():
            yield "digit_tokens", {"form": form, "digits": digits, "tokens": count}
    for integers in audit.integers:
        yield "integers", asdict(integers)
    for problems in audit.problems:
        yield "problems", asdict(problems)
