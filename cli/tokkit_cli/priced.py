"""Models on a command line, and what they cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console

if TYPE_CHECKING:
    from tokkit.prices import Price
    from tokkit.tokenizer import Tokenizer

ModelNames = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAME[=TOKENIZER]",
        help="A model whose price to use; with the tokenizer it has, as the table calls it, if "
        "there are several; repeatable.",
    ),
]


def find_models(
    models: Sequence[str], tokenizers: Sequence[str], table: Path | None = None
) -> "list[tuple[str, Price | None, Sequence[str]]]":
    """Look up what models cost, and which tokenizers they are used with.

    Args:
        models: As they are given: names, perhaps with ``=`` and a tokenizer.
        tokenizers: What the tokenizers are called.
        table: Prices that go before the shipped ones.

    Returns:
        The name, the price (None: no table has it, which is noted) and the tokenizers of each.

    Raises:
        UsageError: If a tokenizer is named that there is not, or the table cannot be read.
    """
    from tokkit.prices import find_price

    found: list[tuple[str, Price | None, Sequence[str]]] = []
    for given in models:
        name, equals, tokenizer = given.partition("=")
        if equals and tokenizer not in tokenizers:
            raise UsageError(
                f"--model {given}: no tokenizer is called {tokenizer!r}, but "
                f"{', '.join(map(repr, tokenizers))}"
            )
        price = find_price(name, table)
        if price is None:
            console.note(f"no table has the price of {name!r}: write one (--prices)")
        found.append((name, price, [tokenizer] if equals else list(tokenizers)))
    return found


def find_templates(tokenizers: "Mapping[str, Tokenizer]") -> dict[str, Any]:
    """Find the chat templates that lie beside tokenizers; most have none.

    Raises:
        ModelError: If there is one that cannot be read.
    """
    from tokkit.lm.chat_template import chat_template

    found = {}
    for name, tokenizer in tokenizers.items():
        if tokenizer.source is not None and tokenizer.source.path.exists():
            template = chat_template(str(tokenizer.source.path))
            if template is not None:
                found[name] = template
    return found
