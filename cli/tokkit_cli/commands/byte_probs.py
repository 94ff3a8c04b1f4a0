"""``tokkit byte-probs``: what a model of tokens says about bytes."""

import typer

from tokkit_cli.commands.byte_fill import fill
from tokkit_cli.commands.byte_next import next_byte
from tokkit_cli.commands.byte_sample import sample
from tokkit_cli.commands.byte_score import score

byte_probs = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)


@byte_probs.callback()
def show_commands(context: typer.Context) -> None:
    """Ask a language model about bytes: exactly, whatever its tokens are.

    **Start here**

    ```console
    tokkit byte-probs next my-model --prefix 'Once upon a ti' --compare
    tokkit byte-probs score my-model --whole book.txt
    tokkit byte-probs sample my-model --prompt 'Once upon a ti'
    tokkit byte-probs fill my-model --prefix 'def f(x):' --suffix 'return y'
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


byte_probs.command("next")(next_byte)
byte_probs.command("score")(score)
byte_probs.command("sample")(sample)
byte_probs.command("fill")(fill)
