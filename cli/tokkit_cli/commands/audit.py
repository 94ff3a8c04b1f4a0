"""``tokkit audit``: what is in a vocabulary, and what is kept of text."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TOKENIZER_HELP, load_tokenizers


def audit(
    tokenizer: Annotated[str, typer.Argument(metavar="TOKENIZER", help=TOKENIZER_HELP)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    pattern: given.FilePattern = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show what is in a vocabulary, which of it text can give, and what is kept of text.

    A token is reachable if there is a text that gives it, which is shown; unreachable if it is
    proven that there is none, with the cause; else no such text was found. Special tokens that
    plain text can give are a finding. Texts that are hard on tokenizers, and every Unicode
    character, are encoded and decoded, and the ids compared with those of the library that the
    file was made for.

    ```console
    tokkit audit my-tokenizer
    tokkit audit o200k_base.tiktoken -o audited --json
    ```
    """
    from tokkit.analysis.audit import audit as audit_vocabulary
    from tokkit.results import Provenance, begin_folder, write_study, write_table

    if output is not None:
        begin_folder(output, force=force)
    ((name, loaded),) = load_tokenizers([tokenizer], pattern).items()
    with console.show_progress() as progress:
        found = audit_vocabulary(loaded, name=name, progress=progress)
    if output is not None:
        provenance = Provenance(
            study="audit", command=console.command_line(), tokenizers={name: loaded.digest}
        )
        write_table(found.faithfulness.frame(), output / "faithfulness.csv")
        write_table(found.faithfulness.lost_frame(), output / "lost_characters.csv")
        write_study(output, found.frame(), provenance, found.as_json())
    console.print_page(found, as_json)
