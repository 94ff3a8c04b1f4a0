"""``tokkit count``: word counts as a file of their own."""

from tokkit_cli import console
from tokkit_cli.options import (
    AsJson,
    Corpus,
    Digits,
    Engine,
    Force,
    OnError,
    Output,
    PatternName,
    Quiet,
    Sample,
    Scheduler,
    Seed,
    TextColumn,
    Verbose,
    Weight,
    Workers,
)


def count(
    corpus: Corpus,
    output: Output,
    pattern: PatternName = "cl100k",
    digits: Digits = "keep",
    text_column: TextColumn = "text",
    on_error: OnError = "raise",
    weight: Weight = [],  # noqa: B006 (Typer copies it)
    sample: Sample = 1.0,
    seed: Seed = 0,
    workers: Workers = 1,
    engine: Engine = "local",
    scheduler: Scheduler = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Count the words of a corpus, for `train-vocab --from-counts`.

    Parts counted on different machines are joined by `tokkit merge-counts`.

    ```console
    tokkit count part-1.jsonl.zst -o part-1.parquet
    tokkit count part-2.jsonl.zst -o part-2.parquet
    tokkit merge-counts part-1.parquet part-2.parquet -o counts.parquet
    tokkit train-vocab --from-counts counts.parquet -o my-tokenizer
    ```
    """
