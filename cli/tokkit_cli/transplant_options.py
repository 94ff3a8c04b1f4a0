"""Options of ``tokkit transplant``, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

CalibrateByName = Literal["scalar", "token"]
RowDTypeName = Literal["float32", "bfloat16", "float16"]

_METHOD = "How new rows are made"
MethodName = Annotated[
    str | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help="For both sides; `tokkit transplant methods` lists them "
        "[default: last and front-shrunk; tied: mean-shrunk].",
        rich_help_panel=_METHOD,
    ),
]
MethodIn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="For the input embedding.", rich_help_panel=_METHOD),
]
MethodOut = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="For the output head.", rich_help_panel=_METHOD),
]
Untie = Annotated[
    bool,
    typer.Option(
        "--untie", help="Give a tied head a matrix of its own.", rich_help_panel=_METHOD
    ),
]
Override = Annotated[
    list[str],
    typer.Option(
        metavar="TARGET=SOURCE_TEXT",
        help="Make a target token from this, such as '<|eot_id|>=</s>'; repeatable.",
        rich_help_panel=_METHOD,
    ),
]
AuxModel = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="tokenadapt: a text encoder, such as a sentence-transformers folder.",
        rich_help_panel=_METHOD,
    ),
]
AuxCache = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where its vectors are kept [default: the cache folder of the user].",
        rich_help_panel=_METHOD,
    ),
]
Donor = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="omp, knn, ridge: a model you trust that has the target tokenizer.",
        rich_help_panel=_METHOD,
    ),
]
Hypernet = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="zett: a hypernetwork for the model, or for the one it was fine-tuned from.",
        rich_help_panel=_METHOD,
    ),
]
MethodCorpus = Annotated[
    list[str],
    typer.Option(
        "--corpus",
        metavar="CORPUS",
        help="focus, wechsel: text to learn word vectors from; repeatable.",
        rich_help_panel=_METHOD,
    ),
]
Dictionary = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="wechsel: pairs of words, a tab between them.",
        rich_help_panel=_METHOD,
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        min=1e-6, help="tokenadapt: of the softmax [default: 0.3].", rich_help_panel=_METHOD
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(min=1, help="tokenadapt: neighbours [default: 3].", rich_help_panel=_METHOD),
]
GlobalWeight = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="tokenadapt: share of the neighbours [default: 0.3].",
        rich_help_panel=_METHOD,
    ),
]
Setting = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other setting of a method, such as decay=0.7 or atoms=32; repeatable.",
        rich_help_panel=_METHOD,
    ),
]
PlanFile = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="Use a plan that was made before, for another model of the family.",
        rich_help_panel=_METHOD,
    ),
]
SavePlan = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the plan here too.", rich_help_panel=_METHOD),
]

_WRITING = "What is written"
ModelTokenizer = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENIZER",
        help="The model's own tokenizer, if it is not in its folder.",
        rich_help_panel=_WRITING,
    ),
]
PadTo = Annotated[
    int,
    typer.Option(
        min=1, metavar="M", help="Rows are a multiple of M.", rich_help_panel=_WRITING
    ),
]
RowDType = Annotated[
    RowDTypeName | None,
    typer.Option(help="Of the embeddings [default: as they are].", rich_help_panel=_WRITING),
]
ChatTemplate = Annotated[
    str,
    typer.Option(
        metavar="target|source|none|FILE",
        help="Whose chat template the result has.",
        rich_help_panel=_WRITING,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say what would be done, and write nothing.", rich_help_panel=_WRITING
    ),
]

_RUNNING = "Running the model"
Calibrate = Annotated[
    list[str],
    typer.Option(
        metavar="CORPUS",
        help="Fit the new rows of the head to some text, without training; repeatable.",
        rich_help_panel=_RUNNING,
    ),
]
CalibrateBy = Annotated[
    CalibrateByName | None,
    typer.Option(
        help="One number for all new rows, or one for each [default: token].",
        rich_help_panel=_RUNNING,
    ),
]
Tune = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="STEPS",
        help="Train just the new rows for so many steps.",
        rich_help_panel=_RUNNING,
    ),
]
TuneCorpus = Annotated[
    list[str],
    typer.Option(
        metavar="CORPUS",
        help="Text to train them on [default: that of --calibrate]; repeatable.",
        rich_help_panel=_RUNNING,
    ),
]
Evaluate = Annotated[
    list[str],
    typer.Option(
        metavar="CORPUS",
        help="Measure bits per byte before and after; repeatable, each one a slice.",
        rich_help_panel=_RUNNING,
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Load the result with transformers and check all of it.",
        rich_help_panel=_RUNNING,
    ),
]
