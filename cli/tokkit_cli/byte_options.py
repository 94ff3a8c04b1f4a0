"""Options that the commands under ``tokkit byte-probs`` share, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

SegmentationName = Literal["renorm", "mask", "all"]
MixName = Literal["mixture", "product"]

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
    MixName,
    typer.Option(
        help="Whether probabilities are averaged or multiplied.", rich_help_panel=_ENSEMBLE
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
Temperature = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="Below 1: likelier bytes become likelier still; 0 is --greedy.",
        rich_help_panel=_DRAWING,
    ),
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
    typer.Option("--greedy", help="Always take the likeliest byte.", rich_help_panel=_DRAWING),
]
