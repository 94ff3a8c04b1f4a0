"""``tokkit train-vocab``: learn a vocabulary."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli.options import (
    AlgorithmName,
    AsJson,
    Digits,
    Engine,
    Force,
    FromCounts,
    Init,
    MaxWords,
    MinCount,
    OnError,
    Output,
    PatternName,
    Quiet,
    Resume,
    Sample,
    Scheduler,
    Seed,
    Setting,
    Special,
    TargetSize,
    TextColumn,
    Transition,
    Verbose,
    VocabSize,
    Weight,
    Workers,
)


def train_vocab(
    output: Output,
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="Files, globs, folders, or - for stdin."),
    ] = None,
    algorithm: AlgorithmName = "bpe",
    vocab_size: VocabSize = 32_768,
    target_size: TargetSize = None,
    transition: Transition = None,
    max_words: MaxWords = None,
    setting: Setting = [],  # noqa: B006 (Typer copies it)
    min_count: MinCount = 1,
    special: Special = [],  # noqa: B006
    init: Init = None,
    pattern: PatternName | None = None,
    digits: Digits = "keep",
    text_column: TextColumn = "text",
    weight: Weight = [],  # noqa: B006
    sample: Sample = 1.0,
    on_error: OnError = "raise",
    from_counts: FromCounts = None,
    seed: Seed = 0,
    workers: Workers = 1,
    engine: Engine = "local",
    scheduler: Scheduler = None,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Learn a vocabulary, and write a folder that `AutoTokenizer.from_pretrained` loads.

    The folder holds `tokenizer.json`, `tokenizer_config.json` and `training.json`, which says
    what was done. It is the same for any number of workers.

    ```console
    tokkit train-vocab corpus.txt -o my-bpe --vocab-size 32000 --special '<|endoftext|>'
    tokkit train-vocab data/*.jsonl.zst -o my-superbpe --algorithm superbpe --workers 8
    tokkit train-vocab books/ wiki.parquet -o my-lib --algorithm lib --weight wiki.parquet=0.5
    ```
    """
    from tokkit import load
    from tokkit.learn.options import Job, Options
    from tokkit.learn.training import choose_pattern, train
    from tokkit.words import read_counts
    from tokkit_cli.requests import open_executor, own_settings, read_corpus

    if bool(corpus) == bool(from_counts):
        raise UsageError("give either CORPUS or --from-counts")
    counts = read_counts(from_counts) if from_counts else None
    options = Options(
        vocab_size=vocab_size,
        pattern=choose_pattern(pattern, digits, algorithm, counts),
        min_count=min_count,
        specials=tuple(special),
        seed=seed,
        init=load(init) if init else None,
        **own_settings(
            algorithm,
            setting,
            transition=transition,
            max_words=max_words,
            target_size=target_size,
        ),
    )
    source = counts or read_corpus(
        corpus or [],
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
        job = Job(executor=executor, parts=parts, progress=progress)
        account = train(algorithm, source, options, job, output, force=force, resume=resume)
    console.print_result({"output": str(output), **summary(account, as_json)}, as_json)


def summary(account: Mapping[str, Any], as_json: bool) -> Mapping[str, Any]:
    """What ``training.json`` says, or for people the figures that matter."""
    if as_json:
        return account
    return {
        "vocab_size": account["vocabulary"]["size"],
        "vocabulary": account["vocabulary"]["digest"],
        "corpus_bytes": account["corpus"]["bytes"],
        "bytes_per_token": account.get("bytes_per_token"),
        "skipped": sum(account["corpus"]["skipped"].values()) or None,
    }
