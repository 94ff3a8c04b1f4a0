"""``tokkit numbers``: how numbers are cut, and what that does to arithmetic."""

import typer

from tokkit_cli.commands.numbers_audit import audit
from tokkit_cli.commands.numbers_generate import generate
from tokkit_cli.commands.numbers_rewrite import rewrite
from tokkit_cli.commands.numbers_run import run
from tokkit_cli.commands.numbers_score import score

numbers = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)


@numbers.callback()
def show_commands(context: typer.Context) -> None:
    """See how tokenizers cut numbers, change it, and measure what it does to arithmetic."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


numbers.command()(audit)
numbers.command()(rewrite)
numbers.command()(generate)
numbers.command()(run)
numbers.command()(score)
