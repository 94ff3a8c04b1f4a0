"""Arguments and options that several commands share, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit_cli.console import be_quiet, be_verbose

Algorithm = Literal["bpe", "unigram", "superbpe", "supertokens", "lib"]
DigitsName = Literal["keep", "single", "l2r3", "r2l3"]
EngineName = Literal["local", "dask"]
OnErrorName = Literal["raise", "skip"]
FormatName = Literal["hf", "files", "gguf", "tiktoken"]
DTypeName = Literal["auto", "float32", "bfloat16", "float64"]

Corpus = Annotated[
    list[str],
    typer.Argument(metavar="CORPUS", help="Files, globs, folders, or - for standard input."),
]
TokenizerName = Annotated[
    str, typer.Argument(metavar="TOKENIZER", help="A tokenizer file or folder, or a hub id.")
]
FilePattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="NAME|REGEX",
        help="How a `.tiktoken` or `vocab.json` file cuts text: the file does not say.",
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="What to write.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=be_quiet, help="Print results and errors only."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", callback=be_verbose, help="Say more about the work.")
]

_READING = "Reading"
TextColumn = Annotated[
    str,
    typer.Option(
        help="Field of a JSON line, or column, that is text.", rich_help_panel=_READING
    ),
]
Whole = Annotated[
    bool,
    typer.Option(
        "--whole",
        help="A text is one document, not one per line.",
        rich_help_panel=_READING,
    ),
]
OnError = Annotated[
    OnErrorName,
    typer.Option(help="What a bad record does: stop, or be counted.", rich_help_panel=_READING),
]
Sample = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of documents to use.", rich_help_panel=_READING),
]
Weight = Annotated[
    list[str],
    typer.Option(
        metavar="FILE=W",
        help="How often an input counts; repeatable.",
        rich_help_panel=_READING,
    ),
]

_CUTTING = "Cutting text into words"
PatternName = Annotated[
    str,
    typer.Option(
        metavar="NAME|REGEX",
        help="gpt2, cl100k, o200k, llama3, qwen2, superbpe, none, or a regular expression.",
        rich_help_panel=_CUTTING,
    ),
]
Digits = Annotated[
    DigitsName,
    typer.Option(help="How runs of digits are cut.", rich_help_panel=_CUTTING),
]

_MEANS = "Means"
Workers = Annotated[int, typer.Option(min=1, help="Processes to use.", rich_help_panel=_MEANS)]
Engine = Annotated[
    EngineName, typer.Option(help="This machine, or a Dask cluster.", rich_help_panel=_MEANS)
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Of the Dask cluster to use with --engine dask.",
        rich_help_panel=_MEANS,
    ),
]
_LEARNING = "Learning"
AlgorithmName = Annotated[
    Algorithm, typer.Option(help="How to learn.", rich_help_panel=_LEARNING)
]
VocabSize = Annotated[
    int,
    typer.Option(min=1, help="Tokens, special ones included.", rich_help_panel=_LEARNING),
]
TargetSize = Annotated[
    int | None,
    typer.Option(
        min=1, help="lib: find the settings that give this size.", rich_help_panel=_LEARNING
    ),
]
Transition = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="superbpe: share of the vocabulary learned within words.",
        rich_help_panel=_LEARNING,
    ),
]
MaxWords = Annotated[
    int | None,
    typer.Option(min=1, help="superbpe: most words in a token.", rich_help_panel=_LEARNING),
]
Setting = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other setting of the algorithm, such as life=10 of lib; repeatable.",
        rich_help_panel=_LEARNING,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="lib: prose (default), 2020 (speech, short lines) or 2026.",
        rich_help_panel=_LEARNING,
    ),
]
OptionalPattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="NAME|REGEX",
        help="As for `tokkit count`; the algorithm's usual one if absent.",
        rich_help_panel=_CUTTING,
    ),
]
MinCount = Annotated[
    int,
    typer.Option(min=1, help="Leave out what is seen less often.", rich_help_panel=_LEARNING),
]
Special = Annotated[
    list[str],
    typer.Option(
        metavar="TOKEN", help="A special token; repeatable.", rich_help_panel=_LEARNING
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENIZER", help="Extend this vocabulary.", rich_help_panel=_LEARNING
    ),
]
FromCounts = Annotated[
    Path | None,
    typer.Option(
        metavar="COUNTS", help="Learn from what `tokkit count` wrote.", rich_help_panel=_READING
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue where a killed run was.", rich_help_panel=_MEANS),
]

ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A folder with a language model, or a hub id.")
]
_MODEL = "Model"
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Where to compute: auto, cpu, cuda, cuda:1.",
        rich_help_panel=_MODEL,
    ),
]
DType = Annotated[
    DTypeName,
    typer.Option("--dtype", help="With which precision.", rich_help_panel=_MODEL),
]
ModelTokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="TOKENIZER",
        help="Use this one, not the one in the model's folder.",
        rich_help_panel=_MODEL,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What to put before every text, usually a special token, not the model's own.",
        rich_help_panel=_MODEL,
    ),
]
