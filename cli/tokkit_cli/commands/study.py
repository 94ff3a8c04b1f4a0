"""``tokkit study``: experiments on what tokenization does."""

import typer

from tokkit_cli.commands.study_counting import counting
from tokkit_cli.commands.study_markov import markov
from tokkit_cli.commands.study_power import power
from tokkit_cli.commands.study_scratch import scratch

study = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)


@study.callback()
def show_commands(context: typer.Context) -> None:
    """Run experiments on what tokenization does to a model."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


study.add_typer(counting, name="counting")
study.command("markov")(markov)
study.command("power")(power)
study.command("scratch")(scratch)
