"""How under-trained tokens look to people."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.analysis.audit.indicators import DEFINITIONS
from tokkit.analysis.audit.undertrained_result import CONFIRMED, PERCENTILE

if TYPE_CHECKING:
    from tokkit.analysis.audit.undertrained_result import Undertrained

_SHOWN = 20


def show(found: "Undertrained") -> Any:
    """Return the tables of indicators and of candidates."""
    from rich.console import Group
    from rich.text import Text

    parts = [_indicators(found), _candidates(found)]
    parts += [Text(f"finding: {each}") for each in _findings(found)]
    return Group(*parts)


def _indicators(found: "Undertrained") -> Any:
    from tokkit.analysis.showing import table

    rows, hidden = found.shape
    kind = "tied" if found.tied else "not tied"
    title = f"{found.name}: {rows:,} rows of {hidden:,}, {kind}"
    shown = table(title, "", "unused, median", f"tokens, {PERCENTILE:g} %", "tokens, median")
    shown.columns[0].no_wrap = False
    for name, values in found.indicators.items():
        tested = values[found.tested]
        unused = f"{np.median(values[found.known]):.4g}" if found.known else "–"
        edge = np.percentile(tested, PERCENTILE, method="lower")
        label = f"{name}: {DEFINITIONS[name]}"
        shown.add_row(label, unused, f"{edge:.4g}", f"{np.median(tested):.4g}")
    return shown


def _candidates(found: "Undertrained") -> Any:
    from rich.text import Text

    from tokkit.analysis.showing import table

    title = f"{len(found.candidates):,} candidates by {found.main}, the least first"
    asked = bool(found.probabilities)
    shown = table(title, "token", "id", "value", *(["probability"] if asked else []))
    for token in found.candidates[:_SHOWN]:
        cells = [f"{token}", f"{found.values[token]:.4g}"]
        if asked:
            given = found.probabilities.get(token)
            cells.append("" if given is None else f"{given:.2g}")
        shown.add_row(Text(found.spell(token)[:40]), *cells)
    return shown


def _findings(found: "Undertrained") -> list[str]:
    """Say what the figures mean."""
    texts = []
    if found.known:
        known = ", ".join(f"{len(ids):,} {kind}" for kind, ids in found.unused.items())
        texts.append(
            f"{found.like_unused:,} of {len(found.tested):,} tokens that text gives have less "
            f"than nine in ten of the {len(found.known):,} unused rows ({known})"
        )
    else:
        texts.append(
            "no row is known to be unused, so the length of input rows decides"
            + (", which says little where they are the output rows too" if found.tied else "")
        )
    if found.probabilities:
        texts.append(
            f"{len(found.confirmed):,} of {len(found.probabilities):,} candidates asked for "
            f"never got a probability of {CONFIRMED}, and {found.controls_below:,} of "
            f"{len(found.controls):,} tokens from the middle neither"
            + (": asking says little of this model" if _says_little(found) else "")
        )
    return texts


def _says_little(found: "Undertrained") -> bool:
    """Tell whether the model repeats hardly any token, trained or not."""
    return 2 * found.controls_below >= len(found.controls)
