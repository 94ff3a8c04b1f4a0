"""``tokkit byte-probs fill``: the text between two others."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokkit.errors import UsageError
from tokkit_cli import byte_options as own
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import ModelRequest, Session, open_session, read_text

if TYPE_CHECKING:
    from tokkit.byteprobs.sentinels import Sentinels

OrderName = Literal["auto", "psm", "psm-line", "spm", "plain"]
BaselineName = Literal["plain", "token-healing"]

_GAP = "The gap"


def fill(
    model: given.ModelName,
    prefix: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The text before the gap.", rich_help_panel=own.TEXT),
    ] = None,
    prefix_file: own.PrefixFile = None,
    suffix: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The text after it.", rich_help_panel=own.TEXT),
    ] = None,
    suffix_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same from a file.", rich_help_panel=own.TEXT),
    ] = None,
    order: Annotated[
        OrderName,
        typer.Option(
            help="How the parts are put together; plain: the suffix is not read.",
            rich_help_panel=_GAP,
        ),
    ] = "auto",
    sentinels: Annotated[
        str | None,
        typer.Option(
            metavar="PRE,SUF,MID",
            help="The model's special tokens for it [default: found by their names].",
            rich_help_panel=_GAP,
        ),
    ] = None,
    baseline: Annotated[
        BaselineName | None,
        typer.Option(
            help="Do it token by token, for comparison: from the prompt as it is, or with its "
            "last token taken back.",
            rich_help_panel=_GAP,
        ),
    ] = None,
    max_bytes: own.MaxBytes = 256,
    temperature: own.Temperature = 0.0,
    top_k: own.TopK = None,
    top_p: own.TopP = None,
    stop: own.Stop = [],  # noqa: B006 (Typer copies it)
    seed: given.Seed = 0,
    segmentation: own.Segmentation = "renorm",
    beam: own.Beam = None,
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    tokenizer: given.ModelTokenizer = None,
    start: given.Start = None,
    stats: own.Stats = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Write what is missing between two texts, with the model's own special tokens for it.

    The text before the gap may stop in the middle of a word: its end and what is filled in are
    cut into tokens together.

    ```console
    tokkit byte-probs fill my-model --prefix 'def area(r): ret' --suffix ' * r'
    tokkit byte-probs fill my-model --prefix-file head.py --suffix-file tail.py
    tokkit byte-probs fill my-model --prefix a --suffix b --sentinels '<P>,<S>,<M>'
    ```
    """
    text = read_text({"--prefix": prefix, "--prefix-file": prefix_file})
    after = read_text(
        {"--suffix": suffix, "--suffix-file": suffix_file}, needed=order != "plain"
    )
    request = ModelRequest(model, segmentation, beam, device, dtype, tokenizer, start)
    session = open_session(request)
    lm = session.members[0]
    found = lm.fill(
        text,
        after,
        order=order,
        sentinels=_sentinels(session, sentinels),
        baseline=baseline,
        max_bytes=max_bytes,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        stop=stop,
        seed=seed,
    )
    if as_json:
        result = dict(found.as_json())
        if stats:
            result["stats"] = session.stats(len(found.data))
        console.print_result(result, as_json)
        return
    sys.stdout.buffer.write(found.text.encode() + b"\n")
    if stats:
        console.note(session.describe(len(found.data)))


def _sentinels(session: Session, names: str | None) -> "Sentinels | None":
    """Look up the special tokens that were named, ``PRE,SUF,MID``."""
    from tokkit.byteprobs.sentinels import Sentinels

    if names is None:
        return None
    parts = names.split(",")
    if len(parts) != 3:
        raise UsageError(f"--sentinels {names!r} should be three tokens, PRE,SUF,MID")
    return Sentinels.named(session.members[0].model.tokenizer, *parts)
