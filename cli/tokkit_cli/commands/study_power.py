"""``tokkit study power``: how many problems a comparison needs."""

from typing import Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli.options import AsJson, Quiet, Verbose


def power(
    first: Annotated[
        float, typer.Argument(metavar="SHARE", min=0, max=1, help="Solved in one condition.")
    ],
    second: Annotated[
        float, typer.Argument(metavar="SHARE", min=0, max=1, help="Solved in the other.")
    ],
    problems: Annotated[
        int | None,
        typer.Option(min=1, help="Say what so many problems find, not how many are needed."),
    ] = None,
    discordant: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of problems solved in one condition only. If absent, as if the two "
            "had nothing to do with each other, which asks for more problems than most need.",
        ),
    ] = None,
    probability: Annotated[
        float, typer.Option("--power", min=0.01, max=0.999, help="How sure to find it.")
    ] = 0.8,
    level: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="1 less the p-value that counts.")
    ] = 0.95,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say how many problems show that two conditions differ, each problem asked in both.

    By McNemar's exact test. With `--problems`, what so many show.

    ```console
    tokkit study power 0.74 0.80
    tokkit study power 0.74 0.80 --problems 90 --discordant 0.15
    ```
    """
    from tokkit.stats import detectable_difference, needed_pairs, paired_power

    share = first * (1 - second) + second * (1 - first) if discordant is None else discordant
    difference = abs(second - first)
    if not difference and problems is None:
        raise UsageError("two equal shares do not differ: give --problems, or another share")
    if difference > share or share > min(first + second, 2 - first - second) + 1e-12:
        raise UsageError(
            f"shares of {first} and {second} cannot leave {share} of the problems solved in "
            "one condition only"
        )
    result: dict[str, object] = {"difference": difference, "discordant": share}
    if problems is None:
        result["problems"] = needed_pairs(difference, share, power=probability, level=level)
        result["power"] = probability
    else:
        result["problems"] = problems
        result["power"] = paired_power(problems, difference, share, level=level)
        found = detectable_difference(problems, share, power=probability, level=level)
        result["detectable_difference"] = found if found == found else None
    console.print_result(result, as_json)
