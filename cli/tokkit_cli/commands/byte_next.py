"""``tokkit byte-probs next``: what the next byte may be."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import byte_options as own
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import ModelRequest, Session, open_session, read_text
from tokkit_cli.byte_tables import NextPage, quote

if TYPE_CHECKING:
    from tokkit.byteprobs import Ensemble
    from tokkit.byteprobs.results import NextByte

SLIVER = 1e-7
"""Shares below this may be rounding of single precision: not worth a word, except in JSON."""


def next_byte(
    model: given.ModelName,
    prefix: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="The text before, which may be ''.", rich_help_panel=own.TEXT
        ),
    ] = None,
    prefix_hex: own.PrefixHex = None,
    prefix_file: own.PrefixFile = None,
    top: Annotated[int, typer.Option(min=1, max=257, help="Outcomes to show.")] = 10,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Show what the tokens alone say, the usual biased way."),
    ] = False,
    segmentation: own.Segmentation = "renorm",
    beam: own.Beam = None,
    ensemble: own.Ensemble = [],  # noqa: B006 (Typer copies it)
    mix: own.Mix = None,
    weight: own.ModelWeight = [],  # noqa: B006
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    tokenizer: given.ModelTokenizer = None,
    start: given.Start = None,
    stats: own.Stats = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Give the probability of each next byte, and of the end of the text.

    A prompt may end anywhere, in the middle of a word or of a character.

    ```console
    tokkit byte-probs next my-model --prefix 'Once upon a ti'
    tokkit byte-probs next my-model --prefix 'Once upon a ti' --compare
    tokkit byte-probs next my-model --prefix-hex 'e2 82' --json
    ```
    """
    text = read_text(
        {"--prefix": prefix, "--prefix-hex": prefix_hex, "--prefix-file": prefix_file}
    )
    if compare and ensemble:
        raise UsageError("--compare shows the tokens of one model: leave --ensemble out")
    request = ModelRequest(
        model, segmentation, beam, device, dtype, tokenizer, start, ensemble, mix, weight
    )
    session = open_session(request)
    page = (
        _one(session, text, top, compare)
        if session.ensemble is None
        else _many(session.ensemble, request, text, top)
    )
    if stats and as_json:
        page = replace(page, document={**page.document, "stats": session.stats(1)})
    console.print_page(page, as_json)
    if stats and not as_json:
        console.note(session.describe())


def _one(session: Session, text: bytes, top: int, compare: bool) -> NextPage:
    """Ask one model."""
    from tokkit.byteprobs.naive import predict_token

    member = session.members[0]
    found = member.next(text)
    tokens = predict_token(member.model, text) if compare else None
    return NextPage(
        text,
        found.logprobs,
        f"After {quote(text)}, log p {found.logp_prefix:.4g} ({_how(found)})",
        _leaks(found),
        found.as_json(),
        top,
        tokens,
    )


def _how(found: "NextByte") -> str:
    """Say by which definition: ``"renorm; by pairs; exact"``."""
    exact = "exact" if found.exact else "approximate"
    method = f"by {found.method}" if found.method else ""
    return "; ".join(filter(None, (found.segmentation, method, exact)))


def _leaks(found: "NextByte") -> list[str]:
    """Say what the model gives to tokens that no text continues with."""
    shares = {
        "to tokens the tokenizer would not produce here": found.leaks.noncanonical,
        "to special and unused tokens": found.leaks.special,
        "left out of the beam": found.leaks.pruned,
    }
    said = [f"{share:.2g} {name}" for name, share in shares.items() if share >= SLIVER]
    return [f"Of the model's probability: {', '.join(said)}."] if said else []


def _many(both: "Ensemble", request: ModelRequest, text: bytes, top: int) -> NextPage:
    """Ask an ensemble."""
    import numpy as np

    stream = both.stream(text)
    logprobs = stream.logprobs
    probs = np.exp(logprobs).tolist()
    names = [request.model, *request.ensemble]
    document: dict[str, Any] = {
        "probs": {str(byte): probs[byte] for byte in range(256)},
        "eos": probs[256],
        "logp_prefix": stream.logp_prefix,
        "segmentation": request.segmentation,
        "models": names,
        "mix": both.mix,
        "weights": list(request.weights) or None,
    }
    heading = f"After {quote(text)}, a {both.mix} of {len(names)} models"
    return NextPage(text, logprobs, heading, [], document, top)
