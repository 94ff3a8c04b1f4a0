"""Figures of the study of Markov sources."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.report.charts import altair, write_chart
from tokkit.studies.markov.dictionaries import NAMES

if TYPE_CHECKING:
    import pandas

    from tokkit.studies.markov.result import Result

_LOSS = "nats per character"
_ROOM = 0.18
"""How far below the entropy rate the axis goes, as a share of what there is to gain."""


def write_figures(result: "Result", folder: Path) -> list[Path]:
    """Write ``losses.png`` and, if transformers were trained, ``curves.png``.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    charts = {"losses": losses_chart} | ({"curves": curves_chart} if result.points else {})
    return [write_chart(draw(result), folder / f"{name}.png") for name, draw in charts.items()]


def draw_markov(result: "Result") -> Any:
    """Return the chart of losses, and below it, if any were trained, that of transformers.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    if not result.points:
        return losses_chart(result)
    return altair().vconcat(losses_chart(result), curves_chart(result), spacing=30)


def losses_chart(result: "Result") -> Any:
    """Return a chart of what models that are counted lose, by the size of the dictionary.

    One panel is of single tokens, one of the longest n-grams. Points are seeds, lines are
    their means; rules are the entropy rate and the unigram bound. The dotted line is what the
    theorem promises, where it is low enough to be seen.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    frame = result.frame()
    frame = frame[frame["dictionary"] != "characters"]
    order = result.plan.ngram
    panels = [_losses(result, frame, "unigram", "single tokens")]
    if order > 1:
        panels.append(_losses(result, frame, "ngram", f"{order}-grams of tokens"))
    note = "; dotted: what theory promises of lzw" if _shows_theorem(result) else ""
    title = _title("Losses of counted models on text as tokens", result, note)
    return altair().hconcat(*panels).properties(title=title)


def curves_chart(result: "Result") -> Any:
    """Return a chart of what transformers lose as they learn.

    One panel is by steps, one by characters: a step on tokens is on more characters. Thin
    lines are seeds, thick ones their means.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    frame = result.curves()
    frame["millions"] = frame["characters"] / 1e6
    panels = [
        _curve(result, frame, "step", "steps"),
        _curve(result, frame, "millions", "characters to foretell, millions"),
    ]
    small = result.plan.transformer
    layers = f"{small.layers} {'layer' if small.layers == 1 else 'layers'}"
    title = f"Losses of a transformer as it learns ({layers}, width {small.hidden_size})"
    return altair().hconcat(*panels).properties(title=_title(title, result))


def _losses(result: "Result", frame: "pandas.DataFrame", column: str, title: str) -> Any:
    module = altair()
    base = module.Chart(frame)
    size = module.X("size:Q", title="tokens in the dictionary").scale(type="log", base=2)
    size = size.axis(values=sorted(set(frame["size"])), grid=False, format="d")
    colour = _colour(result)
    layers = [
        base.mark_line(clip=True).encode(size, _loss(result, f"mean({column}):Q"), colour),
        base.mark_point(clip=True, filled=True, size=22).encode(
            size, _loss(result, f"{column}:Q"), colour
        ),
        *_rules(result),
    ]
    if column == "unigram" and _shows_theorem(result):
        dotted = base.mark_line(clip=True, strokeDash=[2, 3])
        layers.append(dotted.encode(size, _loss(result, "theorem_bound:Q"), colour))
    small = module.TitleParams(title, fontSize=12, fontWeight="normal", offset=6)
    return module.layer(*layers).properties(title=small, width=300, height=240)


def _shows_theorem(result: "Result") -> bool:
    """Tell whether what the theorem promises is low enough to be seen."""
    bounds = (loss.theorem_bound for loss in result.losses)
    return any(bound is not None and bound < _domain(result)[1] for bound in bounds)


def _curve(result: "Result", frame: "pandas.DataFrame", column: str, title: str) -> Any:
    module = altair()
    place = module.X(f"{column}:Q", title=title).axis(grid=False)
    loss, colour = _loss(result, "loss:Q"), _colour(result)
    thin = module.Chart(frame).mark_line(clip=True, strokeWidth=1, opacity=0.35)
    # Seeds see other texts, so their characters differ a little: the mean is of both.
    means = frame.groupby(["dictionary", "step"], as_index=False)[["millions", "loss"]].mean()
    thick = module.Chart(means).mark_line(clip=True, strokeWidth=2.5)
    return module.layer(
        thin.encode(place, loss, colour, detail="seed:N"),
        thick.encode(place, loss, colour),
        *_rules(result),
    ).properties(width=300, height=240)


def _loss(result: "Result", field: str) -> Any:
    """Return the axis of losses, which all panels share."""
    return altair().Y(field, title=_LOSS).scale(domain=_domain(result))


def _rules(result: "Result") -> list[Any]:
    """Draw what single characters and perfect models lose."""
    import pandas

    module = altair()
    bounds = [("unigram bound", result.source.bound(0), "bottom", -2)]
    bounds.append(("entropy rate", result.source.entropy_rate, "top", 3))
    layers = []
    for name, bound, side, shift in bounds:
        base = module.Chart(pandas.DataFrame({"name": [name], "at": [bound]}))
        base = base.encode(_loss(result, "at:Q"))
        text = base.mark_text(align="right", baseline=side, dy=shift, color="#555", fontSize=10)
        layers += [
            base.mark_rule(color="#888", strokeDash=[5, 3]),
            text.encode(module.Text("name:N"), x=module.value("width")),
        ]
    return layers


def _domain(result: "Result") -> tuple[float, float]:
    """Return what the axis of losses shows: from below the entropy rate to above coins."""
    rate, unigram = result.source.entropy_rate, result.source.bound(0)
    gain = max(unigram - rate, 0.01)
    return round(rate - _ROOM * gain, 4), round(unigram + 2 * _ROOM * gain, 4)


def _colour(result: "Result") -> Any:
    """Give every dictionary its colour, the same in all figures."""
    module = altair()
    used = {point.dictionary for point in result.points}
    used |= {loss.dictionary for loss in result.losses if loss.dictionary != "characters"}
    present = [name for name in NAMES if name in used]
    palette = dict(zip(NAMES, ("#000000", "#0072B2", "#D55E00", "#009E73"), strict=True))
    scale = module.Scale(domain=present, range=[palette[name] for name in present])
    return module.Color("dictionary:N", scale=scale, title=None)


def _title(text: str, result: "Result", note: str = "") -> Any:
    seeds = result.plan.seeds
    subtitle = f"{result.source.name}; {seeds} {'seed' if seeds == 1 else 'seeds'}{note}"
    return altair().TitleParams(text, subtitle=subtitle)
