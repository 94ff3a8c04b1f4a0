"""``tokkit report``: results as one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TOKENIZER_HELP, load_tokenizers

if TYPE_CHECKING:
    from tokkit.report.page import CutText

_TEXT_BYTES = 20_000
_LIVE = "Texts, token by token"


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="[DIR]...", help="What commands wrote with -o DIR."),
    ] = [],  # noqa: B006 (Typer copies it)
    output: given.Output = Path("report.html"),
    tokenizer: Annotated[
        list[str],
        typer.Option(
            "--tokenizer",
            "-t",
            metavar="TOKENIZER",
            help=f"{TOKENIZER_HELP} Repeatable.",
            rich_help_panel=_LIVE,
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    text: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="A text to show as the tokenizers cut it, its first 20,000 bytes; repeatable. "
            "If absent, the sample that ships with tokkit.",
            rich_help_panel=_LIVE,
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    specials: Annotated[
        bool,
        typer.Option(
            "--specials", help="Special tokens in texts are special.", rich_help_panel=_LIVE
        ),
    ] = False,
    pattern: given.FilePattern = None,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    rows: Annotated[
        int,
        typer.Option(
            min=1,
            help="Most rows of a table; of an audit, the noteworthy ones come first.",
        ),
    ] = 5_000,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show results as one page: figures, charts, tables that sort, and texts token by token.

    The page is one file that loads nothing: open it by double click, or send it.

    ```console
    tokkit audit my-tokenizer -o audited
    tokkit report audited -o report.html --tokenizer my-tokenizer --text poem.txt
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.report.page import read_folder, render_page, write_page

    if not folders and not tokenizer:
        raise UsageError("name a folder with results, or --tokenizer TOKENIZER")
    if text and not tokenizer:
        raise UsageError("--text is shown as tokenizers cut it: name one with --tokenizer")
    refuse_existing(output, force=force)
    texts = _cut(tokenizer, text, pattern, specials) if tokenizer else []
    studies = [read_folder(folder, most_rows=rows) for folder in folders]
    write_page(output, render_page(studies, texts, title=title))
    size = output.stat().st_size
    result = {"output": str(output), "studies": len(studies), "bytes": size}
    console.print_result(result, as_json)


def _cut(
    tokenizers: list[str], paths: list[Path], pattern: str | None, specials: bool
) -> "list[CutText]":
    """Cut each text with every tokenizer."""
    from tokkit.analysis.view import view
    from tokkit.report.page import CutText

    loaded = load_tokenizers(tokenizers, pattern)
    named = [(path.name, path.read_bytes()) for path in paths] or _sample()
    return [
        CutText(
            name,
            view(_start(data), loaded, parse_specials=specials),
            f"The first {_TEXT_BYTES:,} of {len(data):,} bytes." if _is_long(data) else "",
        )
        for name, data in named
    ]


def _is_long(data: bytes) -> bool:
    return len(data) > _TEXT_BYTES


def _start(data: bytes) -> bytes:
    """Cut a long text between two characters."""
    end = min(len(data), _TEXT_BYTES)
    while 0 < end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]


def _sample() -> list[tuple[str, bytes]]:
    """Return the texts that ship with tokkit, in one."""
    import json

    from tokkit.resources import resource

    lines = resource("sample.jsonl").read_text(encoding="utf-8").splitlines()
    text = "\n".join(json.loads(line)["text"] for line in lines)
    return [("sample that ships with tokkit", text.encode())]
