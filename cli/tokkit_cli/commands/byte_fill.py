"""``tokkit byte-probs fill``: the text between two others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import byte_options as own
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import ModelRequest, open_session, read_text
from tokkit_cli.filling import Filler, print_filled, print_rates


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
    order: own.Order = "auto",
    sentinels: own.SentinelNames = None,
    baseline: own.Baseline = None,
    max_bytes: own.MaxBytes = 256,
    temperature: own.FillTemperature = 0.0,
    top_k: own.TopK = None,
    top_p: own.TopP = None,
    stop: own.Stop = [],  # noqa: B006 (Typer copies it)
    seed: given.Seed = 0,
    benchmark: own.Benchmark = None,
    limit: own.Limit = None,
    output: own.FilledOutput = None,
    execute: own.Execute = False,
    timeout: own.Timeout = None,
    memory: own.Memory = None,
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

    The text before the gap may stop in the middle of a word: with `--order spm` its end and
    what is filled in are cut into tokens together. Where the result does not go to a terminal
    nothing is added to it.

    ```console
    tokkit byte-probs fill my-model --prefix 'def area(r): ret' --suffix ' * r'
    tokkit byte-probs fill my-model --prefix-file head.py --suffix-file tail.py
    tokkit byte-probs fill my-model --benchmark Light.jsonl.gz -o filled.jsonl
    ```
    """
    texts = {"--prefix": prefix, "--prefix-file": prefix_file}
    suffixes = {"--suffix": suffix, "--suffix-file": suffix_file}
    _refuse(
        benchmark,
        about_files={"--output": output, "--limit": limit, "--execute": execute or None},
        about_texts={**texts, **suffixes, "--stop": stop or None},
    )
    if not execute and (timeout or memory):
        raise UsageError("--timeout and --memory are about programs: give --execute too")
    if sentinels is not None and order == "plain":
        raise UsageError("--order plain has no use for --sentinels: leave one out")
    gap = b"", b""
    if benchmark is None:
        gap = read_text(texts), read_text(suffixes, needed=order != "plain")
    request = ModelRequest(model, segmentation, beam, device, dtype, tokenizer, start)
    settings: dict[str, Any] = {
        "order": order,
        "baseline": baseline,
        "max_bytes": max_bytes,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
    }
    filler = Filler(open_session(request), settings, sentinels)
    if benchmark is None:
        print_filled(filler, *gap, stop, as_json, stats)
        return
    from tokkit.byteprobs.execution import Limits
    from tokkit.byteprobs.infilling import read_problems, run_infilling

    problems = read_problems(benchmark)[:limit]
    with console.show_progress() as progress:
        result = run_infilling(
            filler,
            problems,
            output=output,
            settings=filler.account(request),
            execute=execute,
            limits=Limits(timeout or 10.0, (memory or 1024) << 20),
            on_row=lambda _: progress("filling", filler.count, len(problems)),
        )
    print_rates(filler, result, output, as_json, stats)


def _refuse(
    benchmark: Path | None,
    *,
    about_files: Mapping[str, object],
    about_texts: Mapping[str, object],
) -> None:
    """Refuse options that go only with, or only without, a benchmark."""
    wrong = about_files if benchmark is None else about_texts
    for name, value in wrong.items():
        if value is not None:
            verb = "needs" if benchmark is None else "does not go with"
            raise UsageError(f"{name} {verb} --benchmark FILE")
