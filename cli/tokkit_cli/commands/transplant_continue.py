"""``tokkit transplant continue``: training a transplanted model further."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import continue_options as own
from tokkit_cli import options as given


def continue_training(
    model: given.ModelName,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.")
    ],
    corpus: own.Corpus,
    steps: own.Steps,
    train: own.Train = "all",
    rate: own.Rate = None,
    schedule: own.Shape = "constant",
    warm_up: own.WarmUp = 0.0,
    clip: own.Clip = 0.1,
    lexical_weight: own.LexicalWeight = 0.5,
    batch: own.Batch = 8,
    accumulate: own.Accumulate = 1,
    length: own.Length = None,
    precision: own.Precision = "float32",
    checkpointing: own.Checkpointing = False,
    save_every: own.SaveEvery = 100,
    evaluate: own.Evaluate = [],  # noqa: B006 (Typer copies it)
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    device: given.Device = "auto",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Train a transplanted model further, on text in its new tokens (ZeTT's n-shot stage).

    The loss is that of the next token, and how far the embeddings have moved from where they
    began. Any causal language model will do; `--train new-rows` needs the `transplant.plan`
    that `tokkit transplant` writes. The same command goes on with a run that was killed.

    ```console
    tokkit transplant continue moved -o trained --corpus text.jsonl --steps 1000
    tokkit transplant continue moved -o trained --corpus a.txt --steps 300 --train embeddings
    tokkit transplant continue moved -o trained --corpus a.txt --steps 300 --evaluate b.txt
    ```

    `accelerate launch --multi_gpu --num_processes 8 -m tokkit_cli transplant continue ...`
    shares each batch between GPUs, `torchrun --nproc-per-node 2 -m tokkit_cli ...` between
    processes of any kind.
    """
    from tokkit.transplant.continuing import Request
    from tokkit.transplant.continuing import continue_training as carry_on

    request = Request(
        corpus=corpus,
        steps=steps,
        train=train,
        rate=rate,
        shape=schedule,
        warm_up=warm_up,
        clip=clip,
        batch=batch,
        accumulate=accumulate,
        length=length,
        lexical_weight=lexical_weight,
        precision=precision,
        checkpointing=checkpointing,
        evaluate=evaluate,
        seed=seed,
        save_every=save_every,
        text_column=text_column,
        on_error=on_error,
    )
    from tokkit.lm.processes import open_processes

    processes = open_processes(device)
    if not processes.is_main:
        console.be_quiet(True)
    with console.show_progress() as progress:
        found = carry_on(
            model, output, request, force=force, processes=processes, progress=progress
        )
    if processes.is_main:
        console.print_page(found, as_json)
