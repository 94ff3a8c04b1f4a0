"""``tokkit study counting``: whether models can count, sort and reverse letters."""

import typer

from tokkit_cli.commands.study_counting_generate import generate
from tokkit_cli.commands.study_counting_run import run
from tokkit_cli.commands.study_counting_score import score
from tokkit_cli.default_command import DefaultCommand

counting = typer.Typer(
    cls=DefaultCommand, rich_markup_mode="markdown", invoke_without_command=True
)


@counting.callback()
def show_commands(context: typer.Context) -> None:
    """Ask models to count, sort and reverse letters, written so that tokens differ.

    `tokkit study counting --backend ...` is short for `tokkit study counting run ...`, whose
    options `tokkit study counting run -h` lists.

    ```console
    tokkit study counting --backend sim:undercounter:0.3 -o counting
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


counting.command("generate")(generate)
counting.command("run")(run)
counting.command("score")(score)
