"""``tokkit dynamic``: tokens of a batch's own."""

import typer

from tokkit_cli.commands.dynamic_curve import curve
from tokkit_cli.commands.dynamic_encode import encode
from tokkit_cli.commands.dynamic_evaluate import evaluate
from tokkit_cli.commands.dynamic_generate import generate
from tokkit_cli.commands.dynamic_index import index

dynamic = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)


@dynamic.callback()
def show_commands(context: typer.Context) -> None:
    """Merge the frequent pairs of a batch into tokens of its own (arXiv 2411.18553).

    ```console
    tokkit dynamic curve my-tokenizer texts.jsonl
    tokkit dynamic evaluate my-model texts.jsonl
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


dynamic.command()(encode)
dynamic.command()(curve)
dynamic.command()(evaluate)
dynamic.command()(index)
dynamic.command()(generate)
