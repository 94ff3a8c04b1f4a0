"""``tokkit transplant MODEL TOKENIZER``: the transplantation itself."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli import transplant_options as own

if TYPE_CHECKING:
    from tokkit.transplant.context import Settings


def run(
    model: given.ModelName,
    tokenizer: given.TokenizerName,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.")
    ] = None,
    method: own.MethodName = None,
    method_in: own.MethodIn = None,
    method_out: own.MethodOut = None,
    untie: own.Untie = False,
    override: own.Override = [],  # noqa: B006 (Typer copies it)
    aux_model: own.AuxModel = None,
    aux_cache: own.AuxCache = None,
    donor: own.Donor = None,
    hypernet: own.Hypernet = None,
    corpus: own.MethodCorpus = [],  # noqa: B006
    dictionary: own.Dictionary = None,
    temperature: own.Temperature = None,
    top_k: own.TopK = None,
    global_weight: own.GlobalWeight = None,
    setting: own.Setting = [],  # noqa: B006
    plan: own.PlanFile = None,
    save_plan: own.SavePlan = None,
    model_tokenizer: own.ModelTokenizer = None,
    pad_to: own.PadTo = 1,
    dtype: own.RowDType = None,
    chat_template: own.ChatTemplate = "target",
    calibrate: own.Calibrate = [],  # noqa: B006
    calibrate_by: own.CalibrateBy = None,
    tune: own.Tune = 0,
    tune_corpus: own.TuneCorpus = [],  # noqa: B006
    evaluate: own.Evaluate = [],  # noqa: B006
    verify: own.Verify = False,
    dry_run: own.DryRun = False,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    device: given.Device = "auto",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Write a model that reads and writes the tokens of another tokenizer.

    Rows of tokens that both tokenizers have, byte for byte, are copied; rows of new tokens are
    composed from the rows of the tokens that spell them, or predicted by a hypernetwork. All
    other weights stay as they are.

    ```console
    tokkit transplant my-model my-tokenizer -o moved --verify
    tokkit transplant my-model my-tokenizer -o moved --method tokenadapt --aux-model all-MiniLM
    tokkit transplant my-model my-tokenizer -o moved --method zett --hypernet my-hypernet
    tokkit transplant my-model my-tokenizer -o moved --calibrate text.jsonl --evaluate other.txt
    ```
    """
    if method is not None and (method_in is not None or method_out is not None):
        raise UsageError("--method is for both sides: give it, or --method-in and --method-out")
    if output is None and not dry_run:
        raise UsageError("name the folder to write with --output, or add --dry-run")
    if calibrate_by is not None and not calibrate:
        raise UsageError("--calibrate-by needs text to calibrate on: name it with --calibrate")
    from tokkit.outputs import refuse_existing
    from tokkit.transplant import Options, prepare, transplant

    named = {"temperature": temperature, "top_k": top_k, "global_weight": global_weight}
    options = Options(
        method_in=method_in or method,
        method_out=method_out or method,
        untie=untie,
        overrides=override,
        settings=_settings(setting, named),
        seed=seed,
        model_tokenizer=model_tokenizer,
        plan=plan,
        auxiliary=aux_model,
        auxiliary_cache=aux_cache,
        corpus=corpus,
        dictionary=dictionary,
        donor=donor,
        hypernet=hypernet,
        text_column=text_column,
        on_error=on_error,
        pad_to=pad_to,
        dtype=dtype,
        device=device,
        chat_template=chat_template,
        calibrate=calibrate,
        calibrate_by=calibrate_by or "token",
        tune=tune,
        tune_corpus=tune_corpus,
        evaluate=evaluate,
        verify=verify,
    )
    with console.show_progress() as progress:
        if dry_run or output is None:
            if save_plan is not None:
                refuse_existing(save_plan, force=force)
            prepared = prepare(model, tokenizer, options, progress=progress)
            if save_plan is not None:
                prepared.plan.save(save_plan)
        else:
            report = transplant(
                model,
                tokenizer,
                output,
                options,
                save_plan=save_plan,
                force=force,
                progress=progress,
            )
    console.print_page(prepared if dry_run else report, as_json)


def _settings(assignments: Sequence[str], named: dict[str, Any]) -> "Settings":
    """Read settings by name, and those that have an option of their own."""
    from tokkit.transplant.context import Settings
    from tokkit_cli.requests import parse_settings

    texts = [*assignments, *(f"{k}={v}" for k, v in named.items() if v is not None)]
    return replace(Settings(), **parse_settings(texts, Settings))
