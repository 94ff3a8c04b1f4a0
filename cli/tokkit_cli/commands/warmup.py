"""``tokkit warmup``: compile everything now."""

from tokkit_cli import console
from tokkit_cli.options import AsJson, Quiet, Verbose


def warmup(as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Compile the kernels once, so that later commands start at once.

    ```console
    tokkit warmup
    ```
    """
    from tokkit.warmup import compile_kernels

    with console.show_progress() as progress:
        result = compile_kernels(progress)
    console.print_result(result, as_json)
