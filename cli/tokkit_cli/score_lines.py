"""The table of `tokkit byte-probs score`: a line for each document as soon as it is known."""

import sys
from typing import TYPE_CHECKING

from tokkit_cli.byte_tables import opening
from tokkit_cli.console import count

if TYPE_CHECKING:
    from tokkit.byteprobs.rows import Row, Totals

WIDTHS = {"document": 8, "bytes": 9, "log p": 12, "then end": 10}
BITS = {"bits/byte": 9, "by tokens": 9}
EXCERPT = 28


class ScoreLines:
    """Prints rows as lines, each aligned with the heading.

    Attributes:
        columns: The heading: names, and how wide they are.
    """

    def __init__(self, *, end: bool) -> None:
        shown = {name: width for name, width in WIDTHS.items() if end or name != "then end"}
        self.columns = {**shown, **BITS}
        self._is_first = True

    def print(self, document: bytes, row: "Row") -> None:
        """Print a document's row, and a line for each byte if the row has them."""
        from tokkit.byteprobs.spelling import spell

        if self._is_first:
            _print_line([f"{name:>{width}}" for name, width in self.columns.items()])
            self._is_first = False
        if "error" in row:
            _print_line([f"{row['document']:>8}", f"{row['bytes']:>9,}", row["error"]])
            return
        cells = {
            "document": str(row["document"]),
            "bytes": f"{row['bytes']:,}",
            "log p": _number(row["logprob"], 3),
            "then end": _number(row["logprob_end"], 3),
            "bits/byte": _number(row["bits_per_byte"], 4),
            "by tokens": _number(row.get("token_bits_per_byte"), 4),
        }
        line = [f"{cells[name]:>{width}}" for name, width in self.columns.items()]
        _print_line([*line, opening(document, EXCERPT)])
        for place, logprob in enumerate(row.get("byte_logprobs", ())):
            shown = spell(document[place], document[:place][-3:])
            _print_line([" " * 8, f"{shown:>9}", f"{_number(logprob, 4):>12}"])

    def print_totals(self, totals: "Totals") -> None:
        """Print what all rows add up to."""
        said = totals.as_json()
        means = ("all bytes", "bits_per_byte"), ("mean of documents", "mean_bits_per_byte")
        refused = f", {totals.refused:,} refused" if totals.refused else ""
        documents = count(totals.documents, "document")
        sizes = count(totals.n_bytes, "byte")
        if totals.n_tokens or not totals.n_bytes:  # Several models have no tokens in common.
            sizes += f", {count(totals.n_tokens, 'token')}"
        logprob = _number(said["logprob"], 3)
        sys.stdout.write(f"\n{documents}{refused}, {sizes}, log p {logprob}\n")
        for name, key in means:
            bits = _number(said[key], 4)
            tokens = _number(said[key.replace("bits", "token_bits")], 4)
            sys.stdout.write(f"{name:<18} {bits} bits per byte, {tokens} by tokens\n")


def _print_line(cells: list[str]) -> None:
    sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _number(value: object, digits: int) -> str:
    return f"{value:,.{digits}f}" if isinstance(value, float) else "–"
