"""``tokkit train-vocab``: learn a vocabulary."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given


def train_vocab(
    output: given.Output,
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="Files, globs, folders, or - for stdin."),
    ] = None,
    algorithm: given.AlgorithmName = "bpe",
    vocab_size: given.VocabSize = 32_768,
    target_size: given.TargetSize = None,
    transition: given.Transition = None,
    max_words: given.MaxWords = None,
    preset: given.Preset = None,
    setting: given.Setting = [],  # noqa: B006 (Typer copies it)
    min_count: given.MinCount = 1,
    special: given.Special = [],  # noqa: B006
    init: given.Init = None,
    pattern: given.OptionalPattern = None,
    digits: given.Digits = "keep",
    text_column: given.TextColumn = "text",
    weight: given.Weight = [],  # noqa: B006
    sample: given.Sample = 1.0,
    on_error: given.OnError = "raise",
    from_counts: given.FromCounts = None,
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
    """Learn a vocabulary, and write a folder that `AutoTokenizer.from_pretrained` loads.

    The folder holds `tokenizer.json`, `tokenizer_config.json` and `training.json`, which says
    what was done. It is the same for any number of workers.

    ```console
    tokkit train-vocab corpus.txt -o my-bpe --special '<|endoftext|>'
    tokkit train-vocab data/*.jsonl.zst -o my-superbpe --algorithm superbpe
    tokkit train-vocab a.txt b.parquet --weight b.parquet=0.5 -o mine --workers 8
    tokkit train-vocab speech.txt -o lexicon --algorithm lib --preset 2020
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
            preset,
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
