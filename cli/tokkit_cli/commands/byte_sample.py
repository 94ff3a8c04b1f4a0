"""``tokkit byte-probs sample``: text written byte by byte."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import byte_options as own
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import ModelRequest, Session, open_session, read_text

if TYPE_CHECKING:
    from tokkit.byteprobs.sampling import SamplingOptions


def sample(
    model: given.ModelName,
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="The text before [default: none].", rich_help_panel=own.TEXT
        ),
    ] = None,
    prompt_hex: own.PrefixHex = None,
    prompt_file: own.PrefixFile = None,
    max_bytes: own.MaxBytes = 200,
    temperature: own.Temperature = None,
    greedy: own.Greedy = False,
    top_k: own.TopK = None,
    top_p: own.TopP = None,
    stop: own.Stop = [],  # noqa: B006 (Typer copies it)
    seed: given.Seed = 0,
    samples: Annotated[
        int,
        typer.Option("--samples", "-n", min=1, help="How many texts, one seed after another."),
    ] = 1,
    segmentation: own.Segmentation = "renorm",
    beam: own.Beam = None,
    ensemble: own.Ensemble = [],  # noqa: B006
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
    """Write text that goes on from a prompt, which may end in the middle of a word.

    What is written, without the prompt, appears as it comes; it is always UTF-8. Where it does
    not go to a terminal nothing is added to it; several texts each end with a line feed.

    ```console
    tokkit byte-probs sample my-model --prompt 'Once upon a ti' --greedy
    tokkit byte-probs sample my-model --temperature 0.8 --top-p 0.95 -n 3
    tokkit byte-probs sample my-model --prompt 'def f(' --ensemble other
    ```
    """
    text = read_text(
        {"--prompt": prompt, "--prompt-hex": prompt_hex, "--prompt-file": prompt_file},
        needed=False,
    )
    if greedy and temperature:
        raise UsageError(f"--greedy is --temperature 0, not {temperature:g}: leave one out")
    options: list[SamplingOptions] = [
        {
            "max_bytes": max_bytes,
            "temperature": 0.0 if greedy else 1.0 if temperature is None else temperature,
            "top_k": top_k,
            "top_p": top_p,
            "stop": stop,
            "seed": seed + number,
        }
        for number in range(samples)
    ]
    request = ModelRequest(
        model, segmentation, beam, device, dtype, tokenizer, start, ensemble, mix, weight
    )
    session = open_session(request)
    if as_json:
        _print_json(session, text, options, stats)
    else:
        _print_text(session, text, options, stats)


def _print_text(
    session: Session, prompt: bytes, options: "list[SamplingOptions]", stats: bool
) -> None:
    """Write texts as they come; several are told apart by notes, and each ends a line."""
    from tokkit.byteprobs.sampling import stream_text

    written = 0
    for number, each in enumerate(options):
        if number:
            console.note(f"— with seed {each['seed']} —")
        parts = stream_text(session.source, prompt, **each)
        written += console.print_stream(parts, ends_line=len(options) > 1)
    if stats:
        console.note(session.describe(written))


def _print_json(
    session: Session, prompt: bytes, options: "list[SamplingOptions]", stats: bool
) -> None:
    """Write one JSON document: the text, or a list of them if several were asked for."""
    from tokkit.byteprobs.sampling import generate

    texts = [generate(session.source, prompt, **each) for each in options]
    found = [dict(text.as_json()) for text in texts]
    result: dict[str, object] = found[0] if len(found) == 1 else {"samples": found}
    if stats:
        result["stats"] = session.stats(sum(len(text.data) for text in texts))
    console.print_result(result, as_json=True)
