"""``tokkit numbers generate``: the problems and prompts of a study of numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import number_options as own
from tokkit_cli import options as given
from tokkit_cli.lists import read_numbers, read_range
from tokkit_cli.tokenizers import load_tokenizer

if TYPE_CHECKING:
    import pandas as pd

    from tokkit.studies.numbers.generating import Generated
    from tokkit.studies.numbers.sampling import Drawing

_OPERATIONS = {"add": "+", "subtract": "-", "multiply": "*"}
_SHOWN_EXAMPLES = 2
_KEPT = {
    *("preset", "experiment", "plain", "tokenizer", "pattern", "output"),
    *("force", "as_json", "quiet", "verbose"),
}
"""Options that go with a preset; the others would make it another study."""


def generate(
    context: typer.Context,
    output: own.RowsFile = None,
    preset: own.Preset = None,
    experiment: own.Experiment = [],  # noqa: B006 (Typer copies it)
    problems: own.ProblemCount = 100,
    operation: own.Operation = ["add"],  # noqa: B006
    digits: own.Digits = "3",
    answer: own.AnswerLength = "any",
    carries: own.Carries = None,
    chain: own.Chain = None,
    negative: own.Negative = False,
    operand_tokens: own.OperandTokens = None,
    answer_tokens: own.AnswerTokens = None,
    tokenizer: own.CountingTokenizer = None,
    pattern: given.FilePattern = None,
    seed: given.Seed = 0,
    number_format: own.FormatNames = ["nosep"],  # noqa: B006
    chunk_size: own.ChunkSizes = "3",
    shots: own.Shots = "0",
    spaces: own.Spaces = 0,
    trailing_spaces: own.TrailingSpaces = 0,
    system: own.SystemPrompt = None,
    preamble: own.Preamble = "",
    plain: own.Plain = False,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Generate problems of arithmetic, each under every condition, for `tokkit numbers run`.

    All formats and numbers of examples have the same problems, so that answers can be compared
    problem by problem.

    ```console
    tokkit numbers generate --preset singh2024 --experiment comma-effects -o rows.csv
    tokkit numbers generate --digits 1-4 --format nosep --format comma_r2l --shots 0,8 -o a.csv
    tokkit numbers generate --digits 3 --operand-tokens 1 --tokenizer gpt2 --plain
    tokkit numbers generate --digits 7x9 --answer mismatch --format nosep/comma_r2l/nosep
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.studies.numbers.generating import Design, count_tokens
    from tokkit.studies.numbers.generating import generate as draw
    from tokkit.studies.numbers.singh2024 import generate_published

    if output is not None:
        refuse_existing(output, force=force)
    counter = load_tokenizer(tokenizer, pattern) if tokenizer else None
    if experiment and preset is None:
        raise UsageError("--experiment chooses a table of a preset: name it with --preset")
    if preset is not None:
        _refuse_others(context)
        generated = generate_published(experiment, plain=plain)
    else:
        default = "" if plain else Design.system_prompt
        design = Design(
            drawings=_drawings(operation, digits, answer, (carries, chain), negative),
            problems=problems,
            formats=tuple(number_format),
            chunk_sizes=read_numbers(chunk_size, "--chunk-size", least=1),
            shots=read_numbers(shots, "--shots", least=0),
            spaces=spaces,
            trailing_spaces=trailing_spaces,
            system_prompt=default if system is None else system,
            preamble=preamble,
            plain=plain,
            operand_tokens=operand_tokens,
            answer_tokens=answer_tokens,
            seed=seed,
        )
        generated = draw(design, counter)
    frame = generated.frame if counter is None else count_tokens(generated.frame, counter)
    _print(frame, output, generated, as_json)


def _refuse_others(context: typer.Context) -> None:
    """Refuse options that would make a published study another one."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in _KEPT:
            option = "format" if name == "number_format" else name.replace("_", "-")
            raise UsageError(f"a preset is what was published: leave out --{option}")


def _drawings(
    operations: Sequence[str],
    digits: str,
    answer: own.AnswerName,
    columns: tuple[str | None, str | None],
    negative: bool,
) -> "tuple[Drawing, ...]":
    """Return which problems are drawn, one kind per operation."""
    from tokkit.studies.numbers.sampling import Drawing, parse_lengths

    signs = [_OPERATIONS.get(name, name) for name in operations]
    for name, sign in zip(operations, signs, strict=True):
        if sign not in _OPERATIONS.values():
            raise UsageError(f"--operation {name!r}: there are add, subtract and multiply")
    return tuple(
        Drawing(
            operation=sign,
            lengths=parse_lengths(digits),
            answer=answer,
            carries=_range(columns[0], "--carries"),
            chain=_range(columns[1], "--chain"),
            negative=negative,
        )
        for sign in dict.fromkeys(signs)
    )


def _range(text: str | None, option: str) -> tuple[int, int] | None:
    return None if text is None else read_range(text, option)


def _print(
    frame: "pd.DataFrame", output: Path | None, generated: "Generated", as_json: bool
) -> None:
    """Write the rows, and say what they are."""
    from tokkit.studies.frames import lines_of
    from tokkit.studies.numbers.generating import count_parts
    from tokkit.studies.numbers.rows import unpack_messages, write_rows

    counts = count_parts(frame)
    if output is not None:
        write_rows(frame, output)
    if as_json:
        result: dict[str, object] = {
            **counts,
            "left_out": list(generated.left_out),
            "operands": [each._asdict() for each in generated.coverage],
        }
        data = {"data": lines_of(unpack_messages(frame))} if output is None else {}
        where = {} if output is None else {"output": str(output)}
        console.print_result({**result, **where, **data}, as_json)
    elif output is None:
        console.print_rows(lines_of(unpack_messages(frame)), as_json)
    _say(frame, counts, generated, output)


def _say(
    frame: "pd.DataFrame", counts: dict[str, int], generated: "Generated", output: Path | None
) -> None:
    """Tell what was generated, and what a model will be told."""
    from tokkit.studies.frames import lines_of

    where = "" if output is None else f" in {output}"
    console.note(
        f"{console.count(counts['rows'], 'row')}{where}: "
        f"{console.count(counts['problems'], 'problem')}, "
        f"{console.count(counts['conditions'], 'condition')}"
    )
    for each in generated.coverage:
        console.note(f"operands of {each.digits} digits kept: {each.kept:,} of {each.of:,}")
    if generated.left_out:
        console.note(
            f"left out, as there are no such problems: {', '.join(generated.left_out)}"
        )
    if generated.unlike_format:
        console.note(
            f"as published, {console.count(generated.unlike_format, 'prompt')} of foo_r2l have "
            "groups separated by 'oof': they do not match their format"
        )
    _say_example(lines_of(frame.tail(1))[0])


def _say_example(row: dict[str, Any]) -> None:
    """Show what is asked for a row, quoted, so that all its spaces are to be seen."""
    if row["prompt"] is not None:
        console.messages.print(f"the last prompt: {row['prompt']!r}", soft_wrap=True)
        return
    console.note("the last chat:")
    messages = json.loads(row["messages"])
    examples = 2 * row["num_shots"]
    hidden = range(len(messages) - 1 - examples + 2 * _SHOWN_EXAMPLES, len(messages) - 1)
    for place, (role, content) in enumerate(messages):
        if place not in hidden:
            console.messages.print(f"  {role:<9}  {content!r}", soft_wrap=True)
        elif place == hidden[0]:
            console.messages.print(f"  … {console.count(len(hidden) // 2, 'example')} …")
