"""``tokkit transplant explain``: how one row is made."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, Quiet, Verbose


def explain(
    plan: Annotated[
        Path,
        typer.Argument(metavar="PLAN", help="A plan, or the folder of a transplanted model."),
    ],
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", help="A token as text, or its id as a number.")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say which rows of the model a token of the new tokenizer is made from, and why.

    ```console
    tokkit transplant explain moved ' hello'
    tokkit transplant explain family.plan '<|eot_id|>' --json
    ```
    """
    from tokkit.transplant.explanation import Explanation
    from tokkit.transplant.plan import Plan

    found = Plan.load(plan)
    console.print_page(Explanation(found, found.find(token)), as_json)
