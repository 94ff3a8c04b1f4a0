"""``tokkit study scratch``: the same small model trained under several tokenizations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.lists import read_range
from tokkit_cli.study_options import Figure

TaskName = Literal["addition", "counting", "text"]
_TRAINING = "Training"


def scratch(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write, and go on from."),
    ],
    task: Annotated[TaskName, typer.Option(help="What the models learn.")] = "addition",
    tokenizations: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="addition: single, l2rK, r2lK (K digits from the left, the right); counting: "
            "lettersK; text: bytes, an algorithm with a size, such as bpe512, or a tokenizer.",
        ),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            metavar="LOW-HIGH",
            help="Digits of an operand [2-4], or letters of a string [10-20].",
        ),
    ] = None,
    text: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Text to learn from, for that task; repeatable [default: the docstrings of "
            "Python's library].",
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps.", rich_help_panel=_TRAINING)
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Models of each.", rich_help_panel=_TRAINING)
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            min=1, help="Measure and save after so many steps.", rich_help_panel=_TRAINING
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Problems or windows in a step.", rich_help_panel=_TRAINING),
    ] = None,
    hidden_size: Annotated[
        int | None, typer.Option(min=1, help="Width of the model.", rich_help_panel=_TRAINING)
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Its blocks.", rich_help_panel=_TRAINING)
    ] = None,
    device: given.Device = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Models to train at once [default: one per processor].",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    figure: Figure = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Train the same small decoder from scratch under several tokenizations.

    All models of a seed see the same problems; they are compared at equal steps, equal tokens
    and equal time. What DIR has already is not trained again: run the same command to go on
    after a kill, or with more seeds or tokenizations.

    ```console
    tokkit study scratch -o addition --figure addition.png
    tokkit study scratch -o quick --steps 200 --seeds 1 --tokenizations l2r2,r2l2
    tokkit study scratch --task counting --tokenizations letters1,letters3 -o counting
    tokkit study scratch --task text --tokenizations bytes,bpe1024 --text book.txt -o text
    ```
    """
    from tokkit.report.charts import check_figure
    from tokkit.studies.scratch.plan import PLANS
    from tokkit.studies.scratch.study import run_study

    if figure is not None:
        check_figure(figure)
    asked = {
        "tokenizations": tokenizations and tuple(tokenizations.split(",")),
        "sizes": sizes and _sizes(sizes, task),
        "steps": steps,
        "seeds": seeds,
        "every": every,
        "batch": batch,
    }
    plan = replace(PLANS[task], **_given(asked))
    shape = _given({"hidden_size": hidden_size, "layers": layers})
    plan = replace(plan, architecture=replace(plan.architecture, **shape))
    with console.show_progress() as progress:
        study = run_study(
            plan,
            output,
            _documents(task, text),
            command=console.command_line(),
            device=device,
            workers=workers,
            force=force,
            progress=progress,
        )
    if figure is not None:
        from tokkit.report.charts import write_chart
        from tokkit.report.scratch import draw_scratch

        write_chart(draw_scratch(study), figure)
    console.print_page(study, as_json)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _sizes(text: str, task: TaskName) -> tuple[int, int]:
    """Read ``2-4``."""
    if task == "text":
        raise UsageError("--sizes is for --task addition and counting")
    return read_range(text, "--sizes")


def _documents(task: TaskName, paths: Sequence[str]) -> list[bytes]:
    """Read what to learn text from."""
    if task != "text":
        if paths:
            raise UsageError("--text is for --task text")
        return []
    if paths:
        from tokkit.corpus import open_corpus

        return list(open_corpus(paths).documents())
    from tokkit.demo.text import read_documents

    return [each.text.encode() for each in read_documents() if each.kind == "docstrings"]
