"""``tokkit transplant``: a pretrained model on another tokenizer."""

from typing import Any

import typer
from typer.core import TyperGroup

from tokkit_cli.commands.transplant_explain import explain
from tokkit_cli.commands.transplant_methods import methods
from tokkit_cli.commands.transplant_run import run

_DEFAULT = "run"
_HELP = ("-h", "--help")


class _Group(TyperGroup):
    """A group whose first command need not be named: ``tokkit transplant MODEL TOKENIZER``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command where there is none."""
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


transplant = typer.Typer(cls=_Group, rich_markup_mode="markdown", invoke_without_command=True)


@transplant.callback()
def show_commands(context: typer.Context) -> None:
    """Move a pretrained model onto another tokenizer.

    `tokkit transplant MODEL TOKENIZER -o DIR` is short for `tokkit transplant run ...`, whose
    options `tokkit transplant run -h` lists.

    **Start here**

    ```console
    tokkit transplant my-model my-tokenizer -o moved --verify
    tokkit transplant my-model my-tokenizer -o moved --calibrate text.jsonl --evaluate other.txt
    tokkit transplant my-model my-tokenizer --dry-run
    tokkit transplant explain moved ' hello'
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


transplant.command(_DEFAULT)(run)
transplant.command("methods")(methods)
transplant.command("explain")(explain)
