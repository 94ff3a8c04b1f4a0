"""``tokkit transplant train-hypernet``: a hypernetwork for a model."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tokkit_cli import console
from tokkit_cli import options as given

if TYPE_CHECKING:
    from tokkit.hypernet.config import Preset

PresetOption = Literal["tiny", "small", "paper"]
PrecisionOption = Literal["float32", "bfloat16"]

_SHAPE = "The hypernetwork"
_STEPS = "How it is trained"


def train_hypernet(
    model: given.ModelName,
    corpus: Annotated[
        list[str],
        typer.Option(metavar="CORPUS", help="Text to learn from; repeatable."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.")
    ],
    preset: Annotated[
        PresetOption,
        typer.Option(
            help="tiny: small models, an hour on two cores; small: one GPU; paper: as "
            "arXiv 2405.07883 has it. Options below change a preset.",
        ),
    ] = "tiny",
    layers: Annotated[
        int | None,
        typer.Option(min=1, help="Blocks of attention [2, 3, 3].", rich_help_panel=_SHAPE),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(min=8, help="Of its layers [the model's].", rich_help_panel=_SHAPE),
    ] = None,
    surface: Annotated[
        int | None,
        typer.Option(
            min=1, help="Pieces of a token that are read [7].", rich_help_panel=_SHAPE
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps with the model.", rich_help_panel=_STEPS),
    ] = None,
    warm_up_steps: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Steps before, that learn its own rows [0, 0, 10000].",
            rich_help_panel=_STEPS,
        ),
    ] = None,
    vocab_size: Annotated[
        int | None,
        typer.Option(min=513, help="Of sampled vocabularies.", rich_help_panel=_STEPS),
    ] = None,
    across_words: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of steps whose tokens may span words [0.3, 0.3, 0].",
            rich_help_panel=_STEPS,
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Texts in a batch, which processes share.", rich_help_panel=_STEPS
        ),
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=8, help="Tokens of a text.", rich_help_panel=_STEPS)
    ] = None,
    accumulate: Annotated[
        int | None,
        typer.Option(min=1, help="Batches in a step [1].", rich_help_panel=_STEPS),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0, help="Highest learning rate.", rich_help_panel=_STEPS),
    ] = None,
    lexical_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="What being far from the model's own rows counts for [0.5].",
            rich_help_panel=_STEPS,
        ),
    ] = None,
    precision: Annotated[
        PrecisionOption | None,
        typer.Option(help="Of products [bfloat16].", rich_help_panel=_STEPS),
    ] = None,
    checkpointing: Annotated[
        bool | None,
        typer.Option(
            "--checkpointing/--no-checkpointing",
            help="Compute states again for gradients: slower, less memory [no, no, yes].",
            rich_help_panel=_STEPS,
        ),
    ] = None,
    save_every: Annotated[
        int | None,
        typer.Option(min=1, help="Steps between checkpoints.", rich_help_panel=_STEPS),
    ] = None,
    judge_every: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Steps between measurements on held-out text.",
            rich_help_panel=_STEPS,
        ),
    ] = None,
    model_tokenizer: Annotated[
        str | None,
        typer.Option(metavar="TOKENIZER", help="The model's, if it is not in its folder."),
    ] = None,
    start: given.Start = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    device: given.Device = "auto",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    r"""Train a hypernetwork that predicts embeddings for tokens of any vocabulary.

    It learns from vocabularies that are sampled from the text, beside the model, which stays
    as it is. Then `tokkit transplant MODEL TOKENIZER --method zett --hypernet DIR` moves the
    model, or a fine-tune of it, onto any tokenizer. Run the same command again to go on with a
    run that was interrupted.

    ```console
    tokkit transplant train-hypernet my-model --corpus text.jsonl -o hypernet
    accelerate launch --multi_gpu -m tokkit_cli transplant train-hypernet my-model \
        --corpus text.jsonl --preset paper -o hypernet
    ```
    """
    from tokkit.corpus import open_corpus
    from tokkit.hypernet.train import train_hypernet as train

    shape = {"layers": layers, "width": width, "surface": surface}
    recipe = {
        "steps": steps,
        "warm_up_steps": warm_up_steps,
        "vocab_size": vocab_size,
        "across_words": across_words,
        "batch": batch,
        "length": length,
        "accumulate": accumulate,
        "rate": rate,
        "lexical_weight": lexical_weight,
        "precision": precision,
        "checkpointing": checkpointing,
        "save_every": save_every,
        "judge_every": judge_every,
        "seed": seed,
    }
    with console.show_progress() as progress:
        found = train(
            model,
            open_corpus(corpus, text_column, on_error),
            output,
            _changed(preset, shape, recipe),
            tokenizer=model_tokenizer,
            start=start,
            device=device,
            force=force,
            progress=progress,
        )
    if found.account:  # of several processes, one speaks
        console.print_page(found, as_json)


def _changed(name: PresetOption, shape: dict[str, Any], recipe: dict[str, Any]) -> "Preset":
    """Change what was named in a preset."""
    from tokkit.hypernet.config import PRESETS, Preset

    preset = PRESETS[name]
    return Preset(
        replace(preset.config, **{k: v for k, v in shape.items() if v is not None}),
        replace(preset.recipe, **{k: v for k, v in recipe.items() if v is not None}),
    )
