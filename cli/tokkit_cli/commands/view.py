"""``tokkit view``: a text, token by token."""

from typing import Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TOKENIZER_HELP, load_tokenizers


def view(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to cut; - reads standard input.")
    ],
    tokenizer: Annotated[
        list[str],
        typer.Option(
            "--tokenizer", "-t", metavar="TOKENIZER", help=f"{TOKENIZER_HELP} Repeatable."
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    ids: Annotated[bool, typer.Option("--ids", help="Show ids too.")] = False,
    specials: Annotated[
        bool,
        typer.Option("--specials", help="Special tokens in the text are special."),
    ] = False,
    pattern: given.FilePattern = None,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show a text as tokenizers cut it, each token in a colour of its own.

    A space is ␠; bytes that are no whole character are written like <E2>.

    ```console
    tokkit view 'It costs 1234567 yen.' --tokenizer my-tokenizer --ids
    tokkit view - -t r50k_base.tiktoken -t cl100k_base.tiktoken < poem.txt
    ```
    """
    import sys

    from tokkit.analysis.view import view as view_text

    if not tokenizer:
        raise UsageError("name at least one tokenizer: --tokenizer TOKENIZER")
    data = sys.stdin.buffer.read() if text == "-" else text.encode("utf-8", "surrogateescape")
    named = load_tokenizers(tokenizer, pattern)
    console.print_page(view_text(data, named, parse_specials=specials, ids=ids), as_json)
