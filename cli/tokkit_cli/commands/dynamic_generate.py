"""``tokkit dynamic generate``: text in the tokens of a large vocabulary."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import read_text

if TYPE_CHECKING:
    from tokkit.dynamic.writing.written import Written

PromptTokensName = Literal["own", "all"]
_DRAWING = "Drawing"
_LOOKING = "The index"


def generate(
    model: given.ModelName,
    index: Annotated[
        Path, typer.Option(metavar="DIR", help="What `tokkit dynamic index` wrote.")
    ],
    prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT|-", help="The text before; - reads it from stdin."),
    ] = None,
    prompt_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same from a file.")
    ] = None,
    prompt_tokens: Annotated[
        PromptTokensName,
        typer.Option(help="Read the prompt in the model's own tokens, or in new ones too."),
    ] = "own",
    max_bytes: Annotated[
        int,
        typer.Option(min=1, help="Stop after so many bytes.", rich_help_panel=_DRAWING),
    ] = 200,
    temperature: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Below 1: likelier tokens become likelier still [default: 1].",
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    greedy: Annotated[
        bool,
        typer.Option(
            "--greedy",
            help="Always take the likeliest token: --temperature 0.",
            rich_help_panel=_DRAWING,
        ),
    ] = False,
    min_p: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Leave out tokens less likely than this share of the likeliest.",
            rich_help_panel=_DRAWING,
        ),
    ] = 0.1,
    top_k: Annotated[
        int,
        typer.Option(min=1, help="Candidates: the likeliest tokens.", rich_help_panel=_DRAWING),
    ] = 64,
    repetition_penalty: Annotated[
        float,
        typer.Option(
            min=0.01,
            help="Lower the logits of tokens that were there already; 1: no.",
            rich_help_panel=_DRAWING,
        ),
    ] = 1.1,
    boost: Annotated[
        float,
        typer.Option(
            help="Add this to the logits of new tokens: more of them are written.",
            rich_help_panel=_DRAWING,
        ),
    ] = 0.0,
    seed: given.Seed = 0,
    probe: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="ivf: share of the cells to look at.",
            rich_help_panel=_LOOKING,
        ),
    ] = 0.25,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Look at all new tokens too, to say what the index missed.",
            rich_help_panel=_LOOKING,
        ),
    ] = False,
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline", help="Also write a text in the model's own tokens, to compare."
        ),
    ] = False,
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    model_tokenizer: given.ModelTokenizer = None,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Write text whose tokens are the model's own and those of an index.

    Every step looks at all of the model's own tokens and at the new ones whose rows are nearest
    to its state. The text appears as it comes; figures are notes.

    ```console
    tokkit dynamic generate my-model --index my-index --prompt 'Once upon a time'
    tokkit dynamic generate my-model --index my-index --prompt - --greedy --exact < prompt.txt
    ```
    """
    from tokkit.dynamic.writing.choices import Options
    from tokkit.dynamic.writing.generate import Writer
    from tokkit.dynamic.writing.index import TokenIndex

    if greedy and temperature:
        raise UsageError(f"--greedy is --temperature 0, not {temperature:g}: leave one out")
    text = _read_prompt(prompt, prompt_file)
    options = Options(
        max_bytes=max_bytes,
        temperature=0.0 if greedy else 1.0 if temperature is None else temperature,
        min_p=min_p,
        top_k=top_k,
        repetition_penalty=repetition_penalty,
        boost=boost,
        seed=seed,
    )
    writer = Writer.load(
        model,
        TokenIndex(index, probe=probe),
        device=device,
        dtype=dtype,
        tokenizer=model_tokenizer,
    )
    writing = writer.begin(text, options, prompt_tokens=prompt_tokens, exact=exact)
    if as_json:
        for _ in writing:
            pass
    else:
        console.print_stream(writing)
    written = writing.result()
    plain = Writer(writer.model).write(text, options) if baseline else None
    if as_json:
        extra = {} if plain is None else {"baseline": plain.as_json()}
        console.print_result({**written.as_json(), **extra}, as_json)
        return
    console.note(_describe(written))
    if plain is not None:
        console.note(f"own tokens alone: {_describe(plain)}: {plain.text!r}")


def _read_prompt(prompt: str | None, file: Path | None) -> bytes:
    """Read what comes before the text; nothing if nothing is given."""
    if prompt == "-" and file is None:
        return sys.stdin.buffer.read()
    return read_text({"--prompt": prompt, "--prompt-file": file}, needed=False)


def _describe(written: "Written") -> str:
    """Say in a line what a text took."""
    said = written.as_json()
    size = console.count(said["n_bytes"], "byte")
    parts = [
        f"{size} in {console.count(said['n_tokens'], 'token')}",
        f"{said['new_tokens']:,} of them new, {said['base_tokens']:,} in the model's own",
    ]
    if said["bytes_per_token"]:
        parts.append(f"{said['bytes_per_token']:.2f} bytes per token")
    parts.append(f"{said['tokens_per_second']:.1f} tokens per second")
    if said["recall"] is not None:
        parts.append(
            f"the index had the best of all in {said['recall']:.1%} of the steps, and the best "
            f"new one in {said['recall_new']:.1%}"
        )
    return "; ".join(parts)
