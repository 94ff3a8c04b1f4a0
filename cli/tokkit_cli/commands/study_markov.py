"""``tokkit study markov``: what tokens add where single characters say nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from tokkit.errors import MissingExtraError, UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.lists import read_names, read_numbers
from tokkit_cli.study_options import Figure

if TYPE_CHECKING:
    from tokkit.studies.markov.plan import Plan
    from tokkit.studies.markov.result import Result
    from tokkit.studies.markov.source import Source

SourceName = Literal["switching", "random"]
DictionaryName = Literal["characters", "bpe", "lzw", "greedy"]
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "switching": ("source", "order", "p", "q"),
    "random": ("source", "order", "symbols"),
    "--matrix": (),
}
"""What can be asked of each source."""
_SOURCE, _COUNTED, _TRAINED = "Source", "Counted models", "Transformer"


def markov(
    source: Annotated[
        SourceName | None,
        typer.Option(
            help="switching: 2 symbols; the next depends on the one ORDER places back only. "
            "random: any next symbol, its chances drawn for each context. [switching]",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    order: Annotated[
        int | None,
        typer.Option(min=0, help="How far back it looks [2].", rich_help_panel=_SOURCE),
    ] = None,
    p: Annotated[
        float | None,
        typer.Option(
            "--p",
            min=0,
            max=1,
            help="switching: chance of 1 after 0 [0.8].",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    q: Annotated[
        float | None,
        typer.Option(
            "--q",
            min=0,
            max=1,
            help="switching: chance of 0 after 1 [0.8].",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    symbols: Annotated[
        int | None,
        typer.Option(min=2, max=256, help="random: symbols [2].", rich_help_panel=_SOURCE),
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Another source: .csv, .json or .npy with a row per context (00, 01, 10, 11) "
            "and a column per symbol.",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    dictionary: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME",
            help="What text is cut into: characters, bpe, lzw, greedy (longest tokens of bpe).",
            rich_help_panel=_COUNTED,
        ),
    ] = "characters,bpe,lzw,greedy",
    sizes: Annotated[
        str,
        typer.Option(metavar="N,N", help="Tokens, letters included.", rich_help_panel=_COUNTED),
    ] = "4,8,16,32,64,128,256,512,1024",
    ngram: Annotated[
        int,
        typer.Option(min=1, max=8, help="Longest n-gram of tokens.", rich_help_panel=_COUNTED),
    ] = 2,
    window: Annotated[
        int,
        typer.Option(
            min=1,
            help="Say how many characters so many tokens cover.",
            rich_help_panel=_COUNTED,
        ),
    ] = 8,
    train_characters: Annotated[
        int, typer.Option(min=100, help="Characters to learn from.", rich_help_panel=_COUNTED)
    ] = 1_000_000,
    test_characters: Annotated[
        int, typer.Option(min=100, help="Characters held out.", rich_help_panel=_COUNTED)
    ] = 200_000,
    train_steps: Annotated[
        int,
        typer.Option(min=0, help="0: no transformer, no torch.", rich_help_panel=_TRAINED),
    ] = 500,
    train_dictionary: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME", help="A model on each of these.", rich_help_panel=_TRAINED
        ),
    ] = "characters,bpe",
    train_size: Annotated[
        int, typer.Option(min=2, help="Tokens that it reads.", rich_help_panel=_TRAINED)
    ] = 20,
    layers: Annotated[
        int, typer.Option(min=1, help="Its blocks.", rich_help_panel=_TRAINED)
    ] = 1,
    heads: Annotated[int, typer.Option(min=1, help="Its heads.", rich_help_panel=_TRAINED)] = 1,
    hidden_size: Annotated[
        int, typer.Option(min=1, help="Its width.", rich_help_panel=_TRAINED)
    ] = 16,
    context: Annotated[
        int, typer.Option(min=1, help="Tokens it sees.", rich_help_panel=_TRAINED)
    ] = 256,
    batch: Annotated[
        int, typer.Option(min=1, help="Windows in a step.", rich_help_panel=_TRAINED)
    ] = 16,
    rate: Annotated[
        float,
        typer.Option(min=1e-9, help="Highest learning rate.", rich_help_panel=_TRAINED),
    ] = 2e-3,
    device: given.Device = "auto",
    seeds: Annotated[
        int, typer.Option(min=1, help="Texts to draw, each with models of its own.")
    ] = 3,
    seed: given.Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write, and go on from."),
    ] = None,
    figure: Figure = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Measure what is lost per character on text of known entropy, by how it is cut.

    Text is drawn from a Markov chain whose entropy rate is known exactly. Where the next
    character depends on one farther back, single characters say nothing; single *tokens* do.
    Models of tokens are counted, and a small transformer is trained with and without tokens.

    DIR gets `losses.csv`, `curves.csv`, figures and `summary.json`; run the same command to go
    on after a kill.

    ```console
    tokkit study markov --train-steps 0
    tokkit study markov --order 2 --p .8 --q .8 --train-steps 1000 -o markov
    tokkit study markov --p .2 --q .3 --seeds 1 --train-steps 0 --json
    tokkit study markov --matrix chain.csv --dictionary bpe,lzw --sizes 16,64 --figure f.svg
    ```
    """
    from tokkit.studies.markov.plan import Plan, Transformer

    plan = Plan(
        dictionaries=_names(dictionary),
        sizes=tuple(sorted(read_numbers(sizes, "--sizes"))),
        ngram=ngram,
        window=window,
        training=train_characters,
        held_out=test_characters,
        seeds=seeds,
        seed=seed,
        transformer=Transformer(
            steps=train_steps,
            dictionaries=_names(train_dictionary),
            size=train_size,
            hidden_size=hidden_size,
            layers=layers,
            heads=heads,
            context=context,
            batch=batch,
            rate=rate,
            device=device,
        ),
    )
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    asked = {"source": source, "order": order, "p": p, "q": q, "symbols": symbols}
    present = {name: value for name, value in asked.items() if value is not None}
    chain = _open(matrix, present, seed)
    result = _run(chain, plan, matrix, output, force)
    _draw(result, output, figure)
    console.print_page(result, as_json)


def _names(text: str) -> tuple[DictionaryName, ...]:
    """Read names of dictionaries; they are put in order."""
    asked = read_names(text, "dictionary", get_args(DictionaryName))
    return tuple(name for name in get_args(DictionaryName) if name in asked)


def _open(matrix: Path | None, asked: dict[str, Any], seed: int) -> "Source":
    """Open the source, if all that was asked for is about it."""
    from tokkit.studies.markov.sources import random_source, read_source, switching

    name = "--matrix" if matrix is not None else asked.get("source", "switching")
    other = next((option for option in asked if option not in _OPTIONS[name]), None)
    if other is not None:
        raise UsageError(f"--{other} says nothing about {name}: leave one of them out")
    if matrix is not None:
        return read_source(matrix)
    order = asked.get("order", 2)
    if name == "random":
        return random_source(order, asked.get("symbols", 2), seed)
    return switching(order, asked.get("p", 0.8), asked.get("q", 0.8))


def _run(
    source: "Source", plan: "Plan", matrix: Path | None, output: Path | None, force: bool
) -> "Result":
    """Do the study, and write it if it is to be written."""
    from tokkit.studies.markov.folder import run_study
    from tokkit.studies.markov.measuring import study

    with console.show_progress() as progress:
        if output is None:
            return study(source, plan, progress=progress)
        return run_study(
            source,
            plan,
            output,
            inputs=[matrix] if matrix else [],
            command=console.command_line(),
            force=force,
            progress=progress,
        )


def _draw(result: "Result", output: Path | None, figure: Path | None) -> None:
    """Write all figures."""
    from tokkit.report import write_chart
    from tokkit.report.markov import draw_markov, write_figures

    if figure is not None:
        write_chart(draw_markov(result), figure)
    if output is not None:
        try:
            write_figures(result, output)
        except MissingExtraError as error:
            console.note(f"{output} has no figures: {error}")
