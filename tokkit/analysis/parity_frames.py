"""The tables of a parity study."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tokkit.analysis.inequality import gini, lorenz
from tokkit.stats import Interval

if TYPE_CHECKING:
    from tokkit.analysis.parity import Parity

_PER = {"line": "gini_tokens_per_line", "byte": "gini_tokens_per_byte"}
Row = dict[str, Any]


def interval(name: str, found: Interval) -> Row:
    """Return the three columns of a value with its interval."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def records(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a table as JSON, null where there is no value."""
    rows: list[Row] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows


def language_rows(found: "Parity") -> pd.DataFrame:
    """Return what each language becomes, under each tokenizer."""
    return pd.DataFrame(row for name in found.counts for row in _languages(found, name))


def _languages(found: "Parity", name: str) -> Iterator[Row]:
    sizes, counts = found.sizes, found.counts[name]
    n_bytes, tokens = sizes.bytes.sum(axis=0), counts.tokens.sum(axis=0)
    # A language that leaves no token leaves nothing to divide by.
    above = np.where(tokens > 0, tokens, np.nan)
    pivot_words = sizes.words[list(sizes.languages).index(found.pivot)]
    columns = {
        "bytes": n_bytes,
        "characters": sizes.characters,
        "words": sizes.words,
        "tokens": tokens,
        "tokens_per_line": tokens / sizes.documents,
        "tokens_per_byte": tokens / n_bytes,
        "bytes_per_token": n_bytes / above,
        "characters_per_token": sizes.characters / above,
        "unknown_share": counts.unknown_share,
        "flagged": counts.flagged,
        "words_per_window": np.where(
            sizes.has_words, found.window * sizes.words / above, np.nan
        ),
        "pivot_words_per_window": found.window * pivot_words / above,
    }
    sums, means = found.draws.ratio_of_sums(name), found.draws.mean_of_ratios(name)
    for place, language in enumerate(sizes.languages):
        yield {
            "tokenizer": name,
            "language": language,
            **{by: groups.get(language) for by, groups in found.groups.items()},
            "documents": sizes.documents,
            **interval("premium", sums[place]),
            **interval("premium_mean_of_ratios", means[place]),
            **{column: values[place].item() for column, values in columns.items()},
        }


def summary_rows(found: "Parity") -> pd.DataFrame:
    """Return the extremes, the middle and the inequality of languages, by tokenizer."""
    first = next(iter(found.counts))
    rows = []
    for name in found.counts:
        used = found.used(name)
        values = found.languages.loc[found.languages["tokenizer"] == name].loc[used]
        premiums = values.set_index("language")["premium"]
        rows.append(
            {
                "tokenizer": name,
                "pivot": found.pivot,
                "languages": len(premiums),
                "flagged": int((~used).sum()),
                **_extremes(premiums),
                "median_premium": premiums.median(),
                "mean_premium": premiums.mean(),
                **_ginis(found, name),
                **_gini_difference(found, first, name),
            }
        )
    return pd.DataFrame(rows)


def _extremes(premiums: "pd.Series[float]") -> Row:
    """Return the dearest and the cheapest language; nothing, if all are flagged."""
    high, low = premiums.max(), premiums.min()
    return {
        "highest_premium": high,
        "highest_language": premiums.idxmax() if len(premiums) else None,
        "lowest_premium": low,
        "lowest_language": premiums.idxmin() if len(premiums) else None,
        "highest_by_lowest": high / low if low > 0 else np.nan,
    }


def _ginis(found: "Parity", name: str) -> Row:
    row: Row = {}
    for per, column in _PER.items():
        samples = found.draws.gini(name, per, found.used(name))
        row |= interval(column, found.draws.interval(found.gini(name, per), samples))
    return row


def _gini_difference(found: "Parity", first: str, name: str) -> Row:
    """Return how far Gini's coefficient, per line, is above that of the first tokenizer."""
    both = found.used(first) & found.used(name)
    samples, values = [], []
    for each in (name, first):
        samples.append(found.draws.gini(each, "line", both))
        amounts = found.amounts(each, "line")[both]
        values.append(float(gini(amounts)))
    difference = found.draws.interval(values[0] - values[1], samples[0] - samples[1])
    return interval("gini_tokens_per_line_above_first", difference)


def group_rows(found: "Parity") -> pd.DataFrame:
    """Return the premiums of groups of languages."""
    rows = []
    for name in found.counts:
        premiums = found.languages.loc[found.languages["tokenizer"] == name, "premium"]
        values, samples, used = (
            premiums.to_numpy(),
            found.draws.premiums(name),
            found.used(name),
        )
        for by, groups in found.groups.items():
            of = np.array([str(groups.get(each, "")) for each in found.sizes.languages])
            for group in dict.fromkeys(of[used].tolist()):
                chosen = used & (of == group)
                mean = found.draws.interval(
                    float(values[chosen].mean()), samples[:, chosen].mean(axis=1)
                )
                rows.append(
                    {
                        "tokenizer": name,
                        "by": by,
                        "group": group or "(none)",
                        "languages": int(chosen.sum()),
                        **interval("mean_premium", mean),
                        "median_premium": float(np.median(values[chosen])),
                        "lowest_premium": values[chosen].min(),
                        "highest_premium": values[chosen].max(),
                    }
                )
    return pd.DataFrame(rows)


def lorenz_rows(found: "Parity") -> pd.DataFrame:
    """Return the points of Lorenz curves; the first of each is the origin."""
    rows = []
    for name in found.counts:
        used = found.used(name)
        languages = np.array(found.sizes.languages)[used]
        for per in _PER:
            amounts = found.amounts(name, per)[used]
            order = np.argsort(amounts, kind="stable")
            names = [None, *languages[order].tolist()]
            for place, (language, share) in enumerate(zip(names, lorenz(amounts), strict=True)):
                rows.append(
                    {
                        "tokenizer": name,
                        "measure": f"tokens_per_{per}",
                        "language": language,
                        "share_of_languages": place / max(len(languages), 1),
                        "share_of_tokens": share,
                    }
                )
    return pd.DataFrame(rows)


def cost_rows(found: "Parity") -> pd.DataFrame:
    """Return what the texts cost as prompts; not a number where no table has the price."""
    rows = []
    pivot = list(found.sizes.languages).index(found.pivot)
    for model, price, names in found.prices:
        for name in names:
            tokens = found.counts[name].tokens.sum(axis=0)
            per_token = np.nan if price is None else price.cost(1, 0)
            dollars, premiums = tokens * per_token, found.draws.ratio_of_sums(name)
            for place, language in enumerate(found.sizes.languages):
                rows.append(
                    {
                        "model": model,
                        "tokenizer": name,
                        "language": language,
                        "dollars": dollars[place],
                        "dollars_more_than_pivot": dollars[place] - dollars[pivot],
                        "dollars_per_million_pivot_words": _per_million(
                            dollars[place], int(found.sizes.words[pivot])
                        ),
                        **interval("cost_premium", premiums[place]),
                    }
                )
    return pd.DataFrame(rows)


def _per_million(dollars: float, words: int) -> float:
    return dollars * 1e6 / words if words else float("nan")
