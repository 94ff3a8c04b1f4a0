"""Options of ``tokkit transplant continue``, declared once."""

from typing import Annotated, Literal

import typer

TrainName = Literal["all", "embeddings", "new-rows"]
ScheduleName = Literal["constant", "cosine"]
PrecisionName = Literal["float32", "bfloat16"]

_TRAINING = "Training"
Corpus = Annotated[
    list[str],
    typer.Option(metavar="CORPUS", help="Text to train on; repeatable."),
]
Steps = Annotated[int, typer.Option(min=1, help="Steps of AdamW to take.")]
Train = Annotated[
    TrainName,
    typer.Option(
        help="What to train: all weights, the embeddings, or the rows that were guessed.",
        rich_help_panel=_TRAINING,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="The highest learning rate [default: 3e-6 for all, which is ZeTT's for models of "
        "billions of parameters; small ones want 100 times more. For the others 0.03 times "
        "the root mean square of the embeddings].",
        rich_help_panel=_TRAINING,
    ),
]
Shape = Annotated[
    ScheduleName,
    typer.Option(
        "--schedule",
        help="Whether the rate stays, or falls to zero like a cosine.",
        rich_help_panel=_TRAINING,
    ),
]
WarmUp = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, help="In which share of steps it rises.", rich_help_panel=_TRAINING
    ),
]
Clip = Annotated[
    float,
    typer.Option(min=0.0, help="The longest gradient taken whole.", rich_help_panel=_TRAINING),
]
LexicalWeight = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="How much it counts that embeddings move from where they began.",
        rich_help_panel=_TRAINING,
    ),
]
_SIZE = "Batches and memory"
Batch = Annotated[
    int,
    typer.Option(min=1, help="Windows of text read at once.", rich_help_panel=_SIZE),
]
Accumulate = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="K",
        help="Batches that make a step: 4 gives the 32 windows of ZeTT.",
        rich_help_panel=_SIZE,
    ),
]
Length = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Tokens of a window [default: 512, or the model's context].",
        rich_help_panel=_SIZE,
    ),
]
Precision = Annotated[
    PrecisionName,
    typer.Option(help="What products are computed in.", rich_help_panel=_SIZE),
]
Checkpointing = Annotated[
    bool,
    typer.Option(
        "--checkpointing",
        help="Compute activations twice instead of keeping them.",
        rich_help_panel=_SIZE,
    ),
]
SaveEvery = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="STEPS",
        help="How often the state is kept that a killed run goes on from.",
        rich_help_panel=_SIZE,
    ),
]
Evaluate = Annotated[
    list[str],
    typer.Option(
        metavar="CORPUS",
        help="Measure bits per byte before and after; repeatable, each one a slice.",
    ),
]
