"""The figures of a study of a Markov source, for the terminal."""

from math import isfinite
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from tokkit.studies.markov.losses import useful_size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tokkit.studies.markov.result import Result

_STEPS = (25, 100, 200, 500, 1000)
"""Steps whose losses are shown, where they were measured; and the last."""


def show(result: "Result") -> "RenderableType":
    """Lay out the source, the losses of models that are counted, and of transformers."""
    parts: list[RenderableType] = ["\n".join(_source(result)), "", _losses(result)]
    parts.append(
        f"chars: per token; {result.plan.window} cover: characters that so many tokens have at "
        "least, in\n99 % and in half of all places"
    )
    if any(loss.theorem_bound is not None for loss in result.losses):
        parts.append(_theorem(result))
    if result.points:
        parts += ["", _curves(result), "\n".join(_verdict(result))]
    return Group(*parts)


def _source(result: "Result") -> list[str]:
    """Say what any model can reach."""
    source, plan = result.source, result.plan
    own = sum(result.own) / len(result.own)
    between = [
        f"seeing {seen} before       {bound:.4f}"
        for seen, bound in result.bounds().items()
        if 0 < seen < source.order
    ]
    return [
        source.name,
        f"{plan.training:,} characters to learn from, {plan.held_out:,} held out, "
        f"{plan.seeds} {'seed' if plan.seeds == 1 else 'seeds'}",
        "least loss, nats per character:",
        f"  single characters     {source.bound(0):.4f}  (unigram bound)",
        *(f"  {line}" for line in between),
        f"  any model             {source.entropy_rate:.4f}  (entropy rate; {own:.4f} on the "
        "held-out text)",
    ]


def _losses(result: "Result") -> Table:
    plan = result.plan
    table = Table(
        title="Losses of counted models of tokens, nats per character",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    single, longer = result.mean_losses("unigram"), result.mean_losses("ngram")
    several = plan.seeds > 1
    names = ["size", "1-grams", *["±95 %"] * several, f"{plan.ngram}-grams", "chars"]
    table.add_column("dictionary", no_wrap=True)
    for name in (*names, f"{plan.window} cover", "theorem"):
        table.add_column(name, justify="right", no_wrap=True)
    first = {(loss.dictionary, loss.size): loss for loss in reversed(result.losses)}
    before = ""
    for (name, size), loss in ((key, first[key]) for key in single):
        mean = single[name, size]
        table.add_row(
            name if name != before else "",
            f"{size:,}" if loss.tokens == size else f"{loss.tokens:,} of {size:,}",
            f"{mean.value:.4f}",
            *[f"{(mean.high - mean.low) / 2:.4f}"] * several,
            f"{longer[name, size].value:.4f}",
            f"{loss.characters_per_token:.2f}",
            f"{loss.window_nearly_all:.0f}–{loss.window_half:.0f}",
            _bound(loss.theorem_bound),
        )
        before = name
    return table


def _bound(bound: float | None) -> str:
    """Write what the theorem promises; it says nothing of small dictionaries."""
    if bound is None:
        return ""
    return f"≤ {bound:.3f}" if isfinite(bound) else "–"


def _theorem(result: "Result") -> str:
    """Say what the theorem is about and when it helps."""
    source = result.source
    size = useful_size(source.entropy_rate, source.bound(0), source.least_chance)
    useful = (
        f"below the unigram bound from {size:,.0f} tokens on"
        if isfinite(size)
        else "never below the unigram bound"
    )
    return f"theorem: arXiv 2404.08335, for large dictionaries and long texts; here {useful}"


def _curves(result: "Result") -> Table:
    small = result.plan.transformer
    layers = f"{small.layers} {'layer' if small.layers == 1 else 'layers'}"
    title = f"Losses of a transformer ({layers}, width {small.hidden_size}), nats per character"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    measured = {point.step for point in result.points}
    steps = [step for step in _STEPS if step in measured and step < small.steps]
    table.add_column("steps", no_wrap=True)
    for step in (*steps, small.steps):
        table.add_column(f"{step:,}", justify="right")
    most, equal = result.at_equal_characters()
    table.add_column(f"{most / 1e6:.2g} M chars", justify="right")
    for name in equal:
        curve = result.mean_curve(name)
        size = next(point.size for point in result.points if point.dictionary == name)
        shown = [f"{curve[step].value:.4f}" for step in (*steps, small.steps)]
        table.add_row(f"{name} {size}", *shown, f"{equal[name]:.4f}")
    return table


def _verdict(result: "Result") -> list[str]:
    """Say when each model began to use what came before."""
    said = []
    for name in result.at_equal_characters()[1]:
        step = result.left_plateau(name)
        if step is None:
            steps = result.plan.transformer.steps
            said.append(
                f"{name}: no better than single characters in {steps:,} steps; that it stays "
                "so is not said: train longer"
            )
        elif step == 0:
            said.append(f"{name}: better than single characters before any training")
        else:
            said.append(f"{name}: better than single characters from step {step:,} on")
    return said
