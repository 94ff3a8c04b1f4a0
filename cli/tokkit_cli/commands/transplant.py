"""``tokkit transplant``: a pretrained model on another tokenizer."""

import typer

from tokkit_cli.commands.transplant_continue import continue_training
from tokkit_cli.commands.transplant_explain import explain
from tokkit_cli.commands.transplant_methods import methods
from tokkit_cli.commands.transplant_run import run
from tokkit_cli.commands.transplant_train_hypernet import train_hypernet
from tokkit_cli.default_command import DefaultCommand

transplant = typer.Typer(
    cls=DefaultCommand, rich_markup_mode="markdown", invoke_without_command=True
)


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
    tokkit transplant train-hypernet my-model --corpus text.jsonl -o hypernet
    tokkit transplant continue moved -o trained --corpus text.jsonl --steps 1000
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


transplant.command("run")(run)
transplant.command("continue")(continue_training)
transplant.command("methods")(methods)
transplant.command("explain")(explain)
transplant.command("train-hypernet")(train_hypernet)
