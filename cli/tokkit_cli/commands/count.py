"""``tokkit count``: word counts as a file of their own."""

from tokkit_cli import console
from tokkit_cli import options as given


def count(
    corpus: given.Corpus,
    output: given.Output,
    pattern: given.PatternName = "cl100k",
    digits: given.Digits = "keep",
    text_column: given.TextColumn = "text",
    weight: given.Weight = [],  # noqa: B006 (Typer copies it)
    sample: given.Sample = 1.0,
    on_error: given.OnError = "raise",
    seed: given.Seed = 0,
    workers: given.Workers = 1,
    engine: given.Engine = "local",
    scheduler: given.Scheduler = None,
    resume: given.Resume = False,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
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
    from tokkit.outputs import refuse_existing
    from tokkit.patterns import find_pattern
    from tokkit.words import count_into
    from tokkit_cli.requests import open_executor, read_corpus

    refuse_existing(output, force=force)
    rule = find_pattern(pattern, digits)
    text = read_corpus(
        corpus,
        text_column=text_column,
        on_error=on_error,
        weight=weight,
        sample=sample,
        seed=seed,
    )
    with (
        console.show_progress() as progress,
        open_executor(engine, scheduler, workers) as (executor, parts),
    ):
        counts = count_into(
            output,
            text,
            rule,
            executor=executor,
            parts=parts,
            progress=progress,
            force=force,
            resume=resume,
        )
    result = {"output": str(output), "words": len(counts.counts), **counts.metadata}
    console.print_result(result, as_json)
