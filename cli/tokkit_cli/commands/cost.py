"""``tokkit cost``: how many tokens prompts are, and what they cost."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.priced import ModelNames, find_models, find_templates
from tokkit_cli.study_options import Prices
from tokkit_cli.tokenizers import TokenizerNames, load_tokenizers, short_names


def cost(
    tokenizers: TokenizerNames,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="The prompts: text, or JSON lines with `messages`, `prompt` or a text; a "
            "folder or a glob in quotes for several files, - for standard input.",
        ),
    ],
    model: ModelNames = [],  # noqa: B006 (Typer copies it)
    prices: Prices = None,
    answer_tokens: Annotated[
        int, typer.Option(min=0, metavar="N", help="Tokens that each answer will have.")
    ] = 0,
    batch: Annotated[
        bool, typer.Option("--batch", help="At the price of requests sent as a batch.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of a text is a prompt, not all of it.")
    ] = False,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Leave chat templates of tokenizers aside."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    pattern: given.FilePattern = None,
    text_column: given.TextColumn = "text",
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    r"""Count the tokens of prompts exactly, and price them.

    Chats have the tokens that servers put around messages: by the published rule of the model,
    or as the chat template of the tokenizer writes them.

    ```console
    tokkit cost o200k_base.tiktoken chats.jsonl --model gpt-4o --model gpt-4o-mini
    tokkit cost old-tokenizer new-tokenizer 'prompts/*.txt'
    tokkit cost o200k_base.tiktoken cl100k_base.tiktoken chats.jsonl \
      --model gpt-4o=o200k_base --model gpt-4=cl100k_base --json
    ```
    """
    from tokkit.analysis.cost import cost as count_cost
    from tokkit.results import Provenance, begin_folder, write_study, write_table

    if output is not None:
        begin_folder(output, force=force)
    priced = find_models(model, short_names(tokenizers), prices)
    loaded = load_tokenizers(tokenizers, pattern)
    templates = {} if plain else find_templates(loaded)
    with console.show_progress() as progress:
        found = count_cost(
            loaded,
            [file],
            models=priced,
            templates=templates,
            text_column=text_column,
            lines=lines,
            answer_tokens=answer_tokens,
            batch=batch,
            progress=progress,
        )
    if output is not None:
        provenance = Provenance(
            study="cost",
            command=console.command_line(),
            inputs=[Path(name) for name in found.files if Path(name).is_file()],
            tokenizers={name: each.digest for name, each in loaded.items()},
        )
        write_table(found.totals, output / "totals.csv")
        findings = {k: v for k, v in found.as_json().items() if k not in ("files", "totals")}
        write_study(output, found.by_file, provenance, findings)
    console.print_page(found, as_json)
