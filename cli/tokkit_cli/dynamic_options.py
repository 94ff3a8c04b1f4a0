"""Options of ``tokkit dynamic``, declared once, and the texts that they name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit.errors import UsageError
from tokkit_cli.options import OnErrorName

BoundaryName = Literal["pretokens", "word", "word-hyphen", "sentence"]
Groups = dict[str, Sequence[bytes]]

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]", help="Text, JSON lines or parquet; - or none: stdin."),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Texts that share their merges.")]
Boundary = Annotated[BoundaryName, typer.Option("--boundary", help="What merges stay within.")]
Merges = Annotated[
    int | None,
    typer.Option(min=0, help="Merges in a batch, at most; if absent, all."),
]
ROWS = "How rows of new tokens are made"
Embeddings = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|IN/OUT",
        help="mean, last, front-shrunk, tokenadapt and others that need no text, one for both "
        "sides or two [default: the hypernetwork if one is given, else last/front-shrunk, or "
        "last/front to write with].",
        rich_help_panel=ROWS,
    ),
]
Hypernet = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="A hypernetwork that predicts them.", rich_help_panel=ROWS
    ),
]
AuxModel = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="tokenadapt: a text encoder, such as a sentence-transformers folder.",
        rich_help_panel=ROWS,
    ),
]
_PARALLEL = "Texts in several languages"
Parallel = Annotated[
    list[str],
    typer.Option(
        metavar="PATH",
        help="The same texts in several languages, laid out as for `tokkit parity`; batches "
        "are of one language. Repeatable.",
        rich_help_panel=_PARALLEL,
    ),
]
Languages = Annotated[
    str,
    typer.Option(metavar="A,B,...", help="Only these languages.", rich_help_panel=_PARALLEL),
]


def read_languages(
    files: Sequence[str] | None, parallel: Sequence[str], languages: str, text_column: str
) -> tuple[Groups, list[Path]]:
    """Read parallel texts; return them by language, and the files.

    Raises:
        UsageError: If other files are named too.
        CorpusError: If the texts cannot be read, or are not parallel.
    """
    from tokkit.analysis.parallel import read_parallel

    if files:
        raise UsageError(f"{files[0]}: give either files or --parallel texts")
    names = [each.strip() for each in languages.split(",") if each.strip()]
    found = read_parallel(parallel, languages=names, text_column=text_column)
    return dict(found.texts), list(found.files)


def read_files(
    files: Sequence[str] | None, text_column: str, on_error: OnErrorName
) -> tuple[Groups, list[Path]]:
    """Read the documents of each file; return them by its name, and those that are files.

    Raises:
        UsageError: If no file is named.
        CorpusError: If a file is missing or damaged.
    """
    from tokkit.corpus import open_corpus

    if not files:
        raise UsageError("name the texts: files, or --parallel ones")
    names = [Path(path).name for path in files]
    found: Groups = {}
    for path, name in zip(files, names, strict=True):
        documents = open_corpus([path], text_column, on_error).documents()
        found[name if names.count(name) == 1 else path] = list(documents)
    return found, [Path(path) for path in files if Path(path).is_file()]
