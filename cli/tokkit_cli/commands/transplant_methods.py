"""``tokkit transplant methods``: what there is to choose from."""

from tokkit_cli import console
from tokkit_cli.options import AsJson, Quiet, Verbose


def methods(as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List the ways to make the rows of new tokens: name, formula, paper, what each needs.

    `p_1 ... p_n` are the source tokens that spell a new token, `E` the rows of the model.

    ```console
    tokkit transplant methods
    tokkit transplant methods --json
    ```
    """
    from tokkit.transplant.methods import Listing

    console.print_page(Listing(), as_json)
