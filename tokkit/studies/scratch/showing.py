"""A study as tables."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from tokkit.stats import wilson
from tokkit.studies.scratch.comparing import BASES, Standing
from tokkit.studies.scratch.trial import ALL

if TYPE_CHECKING:
    from tokkit.studies.scratch.results import Study

_UNITS = {"steps": "steps", "tokens": "tokens", "seconds": "seconds"}


def show(study: "Study") -> Group:
    """Return the tables of a study: models, tokenizations, parts of the answers."""
    if study.plan.task == "text":
        return Group(_models(study), _standings(study), _differences(study))
    return Group(_models(study), _standings(study), _parts(study), _differences(study))


def _table(title: str, *names: str) -> Table:
    """Return a table whose first column has names, and whose others have figures."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(names[0], no_wrap=True, overflow="ellipsis", max_width=24)
    for name in names[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _models(study: "Study") -> Table:
    """Every model in the end."""
    is_text = study.plan.task == "text"
    columns = ["bits/byte"] if is_text else ["n", "k", "right [95 %]"]
    table = _table(
        f"Each model after {study.plan.steps:,} steps",
        *("tokenization", "seed", "tokens", "seconds", *columns),
    )
    for name, records in study.by_tokenization.items():
        for record in records:
            point = record.points[-1]
            count, right = point.counts.get(ALL, (0, 0))
            share = str(wilson(right, count))
            found = [f"{point.value:.4f}"] if is_text else [f"{count:,}", f"{right:,}", share]
            seed = str(record.settings["schedule"]["seed"])
            table.add_row(name, seed, f"{point.tokens:,}", f"{point.seconds:,.0f}", *found)
    return table


def _standings(study: "Study") -> Table:
    """Every tokenization at equal steps, tokens and time."""
    budgets = {each.basis: each.budget for each in study.standings}
    names = [f"{budgets[basis]:,.0f} {_UNITS[basis]}" for basis in BASES]
    what = "Bits per byte" if study.plan.task == "text" else "Share of right answers"
    title = f"{what}, each with the same: mean of all seeds (least–most)"
    table = _table(title, "tokenization", *names)
    for name in study.by_tokenization:
        own = {each.basis: each for each in study.standings if each.tokenization == name}
        table.add_row(name, *(_spread(own[basis]) for basis in BASES))
    return table


def _spread(standing: Standing) -> str:
    """Write a mean with its range, and where it was before the last step."""
    values = standing.values
    if not all(value == value for value in values):
        return "–"
    return f"{standing.mean:.3f} ({min(values):.3f}–{max(values):.3f})"


def _parts(study: "Study") -> Table:
    """The answers of all seeds by kind of problem and by digit."""
    names = list(study.by_tokenization)
    table = _table("Right in the end, all seeds together; digit 1 is the last", "", "n", *names)
    for part in study.parts:
        count = sum(each.points[-1].counts[part][0] for each in study.by_tokenization[names[0]])
        shares = (f"{study.pooled(name, part).value:.3f}" for name in names)
        table.add_row(part, f"{count:,}", *shares)
    return table


def _differences(study: "Study") -> Table:
    """How much more one tokenization has right than another."""
    over = (
        "bits per byte; 95 % over segments"
        if study.plan.task == "text"
        else "95 % over problems"
    )
    title = f"Differences in the end [{over}], and of each seed"
    table = _table(title, "", "difference", "seeds")
    for each in study.differences:
        seeds = " ".join(f"{value:+.3f}" for value in each.values)
        table.add_row(f"{each.first} − {each.second}", str(each.difference), seeds)
    return table
