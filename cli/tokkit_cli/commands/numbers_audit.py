"""``tokkit numbers audit``: how tokenizers cut numbers."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, FilePattern, Force, Quiet, Seed, Verbose
from tokkit_cli.tokenizers import TokenizerNames, load_tokenizers


def audit(
    tokenizers: TokenizerNames,
    pattern: FilePattern = None,
    widths: Annotated[int, typer.Option(min=1, help="Digits of the longest numbers.")] = 20,
    samples: Annotated[
        int,
        typer.Option(min=1, help="Numbers of each width above 4; up to 4 all are tried."),
    ] = 1000,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it: .png, .svg or .json (Vega-Lite)."),
    ] = None,
    force: Force = False,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """See how tokenizers cut numbers: from the left, from the right, or by no rule.

    Of each width, how often numbers are cut in which way; of other ways to write numbers, and
    of contexts, what they change; and which integers, and arithmetic problems, consist of
    single tokens.

    ```console
    tokkit numbers audit my-tokenizer
    tokkit numbers audit gpt2 old=cl100k_base.tiktoken --figure digits.png
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.studies.numbers.audit import audit_numbers

    if figure is not None:
        from tokkit.report import check_figure

        refuse_existing(check_figure(figure), force=force)
    with console.show_progress() as progress:
        loaded = load_tokenizers(tokenizers, pattern)
        result = audit_numbers(
            loaded, widths=widths, samples=samples, seed=seed, progress=progress
        )
    if figure is not None:
        from tokkit.report.number_audit import draw_audit

        draw_audit(result, figure)
        console.note(f"drawn: {figure}")
    console.print_page(result, as_json)
