"""Options that the commands under ``tokkit byte-probs`` share, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

SegmentationName = Literal["renorm", "mask", "all"]
MixName = Literal["mixture", "product"]
OrderName = Literal["auto", "psm", "psm-line", "spm", "plain"]
BaselineName = Literal["plain", "token-healing"]

_MEANING = "What is counted"
Segmentation = Annotated[
    SegmentationName,
    typer.Option(
        help="renorm and mask: the tokenizer's own token sequences; all: every one.",
        rich_help_panel=_MEANING,
    ),
]
Beam = Annotated[
    int | None,
    typer.Option(
        min=1, help="all: most token sequences to follow at once.", rich_help_panel=_MEANING
    ),
]
Stats = Annotated[
    bool,
    typer.Option("--stats", help="Say what it cost: forward passes, tokens, seconds."),
]

_ENSEMBLE = "Several models"
Ensemble = Annotated[
    list[str],
    typer.Option(
        metavar="MODEL",
        help="Another model to join, with any vocabulary; repeatable.",
        rich_help_panel=_ENSEMBLE,
    ),
]
Mix = Annotated[
    MixName | None,
    typer.Option(
        help="Whether probabilities are averaged or multiplied [default: mixture].",
        rich_help_panel=_ENSEMBLE,
    ),
]
ModelWeight = Annotated[
    list[float],
    typer.Option(
        "--weight",
        metavar="W",
        help="How much each model counts, MODEL first; repeatable [default: all the same].",
        rich_help_panel=_ENSEMBLE,
    ),
]

TEXT = "Text"
PrefixHex = Annotated[
    str | None,
    typer.Option(
        metavar="HEX", help="The same as bytes, such as 'e2 82'.", rich_help_panel=TEXT
    ),
]
PrefixFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The same from a file, byte for byte.", rich_help_panel=TEXT
    ),
]

_DRAWING = "Drawing"
MaxBytes = Annotated[
    int, typer.Option(min=1, help="Most bytes to generate.", rich_help_panel=_DRAWING)
]
_WARMTH = "Below 1: likelier bytes become likelier still; 0: the likeliest is taken"
Temperature = Annotated[
    float | None,
    typer.Option(min=0.0, help=f"{_WARMTH} [default: 1].", rich_help_panel=_DRAWING),
]
FillTemperature = Annotated[
    float, typer.Option(min=0.0, help=f"{_WARMTH}.", rich_help_panel=_DRAWING)
]
TopK = Annotated[
    int | None,
    typer.Option(
        min=1, help="Draw from so many of the likeliest bytes.", rich_help_panel=_DRAWING
    ),
]
TopP = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Draw from the likeliest bytes that have this probability together.",
        rich_help_panel=_DRAWING,
    ),
]
Stop = Annotated[
    list[str],
    typer.Option(
        metavar="TEXT", help="End before this text; repeatable.", rich_help_panel=_DRAWING
    ),
]
Greedy = Annotated[
    bool,
    typer.Option(
        "--greedy",
        help="Always take the likeliest byte: --temperature 0.",
        rich_help_panel=_DRAWING,
    ),
]

_GAP = "The gap"
Order = Annotated[
    OrderName,
    typer.Option(
        help="How the parts are put together; plain: the suffix is not read.",
        rich_help_panel=_GAP,
    ),
]
SentinelNames = Annotated[
    str | None,
    typer.Option(
        "--sentinels",
        metavar="PRE,SUF,MID",
        help="The model's special tokens for it [default: found by their names].",
        rich_help_panel=_GAP,
    ),
]
Baseline = Annotated[
    BaselineName | None,
    typer.Option(
        help="Do it token by token, for comparison: after the prompt's own tokens, or with the "
        "last of them taken back.",
        rich_help_panel=_GAP,
    ),
]

_MEASURING = "Measuring"
Benchmark = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Fill the gaps of a HumanEval infilling file (.jsonl, .jsonl.gz).",
        rich_help_panel=_MEASURING,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Only so many of its problems.", rich_help_panel=_MEASURING),
]
FilledOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Add a JSON line for each problem; what FILE has already is not done again.",
        rich_help_panel=_MEASURING,
    ),
]
Execute = Annotated[
    bool,
    typer.Option(
        "--execute",
        help="RUN the programs that the model wrote: only where they can do no harm.",
        rich_help_panel=_MEASURING,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        help="--execute: seconds for a program [default: 10].",
        rich_help_panel=_MEASURING,
    ),
]
Memory = Annotated[
    int | None,
    typer.Option(
        min=64,
        help="--execute: megabytes for a program [default: 1024].",
        rich_help_panel=_MEASURING,
    ),
]
