"""The same texts in several languages, from the files that such texts come in."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tokkit.analysis.parallel_records import Document, read_records
from tokkit.corpus.corpus import Corpus, open_corpus
from tokkit.corpus.sources import Source, kind_of
from tokkit.corpus.streams import CorruptError, open_stream
from tokkit.errors import CorpusError, UsageError

_SHOWN = 12
_ENGLISH = ("en", "eng", "english")


@dataclass(frozen=True)
class Parallel:
    """Documents that say the same in several languages.

    Attributes:
        texts: The documents of each language, in the same order.
        incomplete: How many were left out because a language lacks them.
        files: What was read.
    """

    texts: Mapping[str, Sequence[bytes]]
    incomplete: int = 0
    files: Sequence[Path] = ()

    @property
    def documents(self) -> int:
        """How many documents each language has."""
        return len(next(iter(self.texts.values())))

    def pivot(self, name: str | None = None) -> str:
        """Return the language that others are compared with: by default, English.

        Raises:
            UsageError: If there is no such language.
        """
        names = list(self.texts)
        if name is None:
            for each in names:
                if each.replace("-", "_").partition("_")[0].lower() in _ENGLISH:
                    return each
        if name in self.texts:
            return str(name)
        what = "none is called en or eng" if name is None else f"there is no {name!r}"
        raise UsageError(f"{what}: choose the --pivot among {_listed(names)}")


def read_parallel(
    paths: Sequence[str],
    *,
    languages: Sequence[str] = (),
    text_column: str = "text",
    language_column: str | None = None,
    id_column: str | None = None,
    joined: bool = False,
) -> Parallel:
    r"""Read parallel texts.

    Text files have a document in each line, and are aligned by line. JSON lines have one
    record per document, with an object ``{language: text}`` or a column per language; or one
    per language, with ``"segments"``; or one per document and language.

    Args:
        paths: ``LANGUAGE=FILE``; text files, folders or globs of these, named by language
            (``de.txt``, ``de/eval.txt``, ``deu_Latn.dev``, ``newstest.de``); or files of JSON
            lines. Several files of a language follow each other.
        languages: Which to read; all if empty.
        text_column: The field of records with the text, or with texts by language.
        language_column: The field of records with the language, where it is not found.
        id_column: The field of records that says which document they are of.
        joined: Whether the documents will be joined to one text, as Petrov et al. do (arXiv
            2305.15425): empty lines count, also what follows the last line feed of a file.

    Raises:
        CorpusError: If a file cannot be read, or texts are not parallel.
        UsageError: If a path is none of the above.
    """
    # While a corpus lives, so does what came through a pipe.
    corpora = [(_language_of(path), open_corpus([_file_of(path)])) for path in paths]
    records, named = _sort(corpora)
    if bool(records) == bool(named):
        raise UsageError("give parallel texts either as JSON lines or as files of languages")
    if records:
        sources = records
        documents = read_records(records, languages, text_column, language_column, id_column)
    else:
        named = {each: named[each] for each in languages or named if each in named}
        sources = list(chain(*named.values()))
        documents = _aligned(named, joined=joined)
    files = [Path(source.name) for source in sources if source.name == source.path]
    return _complete(list(documents), languages, files, joined=joined)


def _sort(
    corpora: Sequence[tuple[str | None, Corpus]],
) -> tuple[list[Source], dict[str, list[Source]]]:
    """Tell files with records from files of one language, which are returned by language."""
    records: list[Source] = []
    named: dict[str, list[Source]] = {}
    for language, corpus in corpora:
        for source in corpus.sources:
            if language is None and source.kind == "jsonl":
                records.append(source)
            elif source.kind == "text":
                named.setdefault(language or "", []).append(source)
            else:
                raise UsageError(
                    f"{source.name}: give parallel texts as JSON lines, or as text by language"
                )
    unnamed = _by_language(named.pop("", []))
    return records, {**named, **unnamed}


def _language_of(path: str) -> str | None:
    """Return the language that is named before a file, if one is."""
    language, equals, file = path.partition("=")
    return language if equals and language and file and not os.path.exists(path) else None


def _file_of(path: str) -> str:
    return path if _language_of(path) is None else path.partition("=")[2]


def _by_language(sources: Sequence[Source]) -> dict[str, list[Source]]:
    """Find the languages in the names of files: whichever part of them differs most."""
    paths = [Path(source.name) for source in sources]
    for place, path in enumerate(paths):
        if kind_of(str(path))[1]:  # compressed
            paths[place] = path.with_suffix("")
    ways = (
        [path.name.partition(".")[0] for path in paths],
        [path.suffix.removeprefix(".") for path in paths],
        [path.absolute().parent.name for path in paths],
    )
    names = max(ways, key=lambda way: len(set(way)))
    found: dict[str, list[Source]] = {}
    for name, source in zip(names, sources, strict=True):
        found.setdefault(name, []).append(source)
    return found


def _aligned(named: Mapping[str, Sequence[Source]], *, joined: bool) -> Iterator[Document]:
    """Yield the lines of languages, side by side."""
    lines = {
        language: [line for source in sources for line in _lines(source, joined)]
        for language, sources in named.items()
    }
    sizes = {language: len(each) for language, each in lines.items()}
    first = next(iter(sizes), "")
    for language, size in sizes.items():
        if size != sizes[first]:
            raise CorpusError(
                f"{first!r} has {sizes[first]:,} lines and {language!r} has {size:,}: lines of "
                "the same number have to say the same (LANGUAGE=FILE says what is what)"
            )
    for texts in zip(*lines.values(), strict=True):
        yield dict(zip(lines, texts, strict=True))


def _lines(source: Source, joined: bool) -> list[bytes]:
    try:
        with open_stream(source.path, source.compression) as stream:
            lines = stream.read().replace(b"\r\n", b"\n").split(b"\n")
    except CorruptError as error:
        raise CorpusError(f"{source.name} is damaged ({error}); fetch it again") from error
    return lines if joined or lines[-1] else lines[:-1]


def _complete(
    documents: Sequence[Document],
    languages: Sequence[str],
    files: Sequence[Path],
    *,
    joined: bool,
) -> Parallel:
    """Keep the documents that all languages have."""
    counts: dict[str, int] = dict.fromkeys(languages, 0)
    for document in documents:
        for language, text in document.items():
            counts[language] = counts.get(language, 0) + bool(text.strip())
    if len(counts) < 2:
        raise CorpusError(
            f"the languages with texts are {_listed(list(counts)) or 'none'}: at least two are "
            "needed"
        )
    rarest = min(counts, key=lambda language: counts[language])
    kept = [
        each
        for each in documents
        if all(language in each and (joined or each[language].strip()) for language in counts)
    ]
    if not kept or not counts[rarest]:
        raise CorpusError(
            f"no text is in all languages; {rarest!r} has {counts[rarest]:,} of "
            f"{len(documents):,}: choose others (--languages)"
        )
    texts = {language: [each[language] for each in kept] for language in counts}
    return Parallel(texts, len(documents) - len(kept), files)


def _listed(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
