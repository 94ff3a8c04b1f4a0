"""The steps of the demo."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tokkit.corpus import open_corpus
from tokkit.demo.moving import move_model
from tokkit.demo.prompts import continue_prompts
from tokkit.demo.result import Demo, Row
from tokkit.demo.text import Document, read_documents
from tokkit.formats import load
from tokkit.learn.options import Job, Options
from tokkit.learn.training import choose_pattern, train
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.patterns import find_pattern
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import flatten

ACCOUNT = "demo.json"
LEARNED = "learned.jsonl"
HELD_OUT = "held-out.jsonl"
ALGORITHMS = ("bpe", "superbpe", "lib")
END = "<|endoftext|>"
SENTENCE = "It is one of the first things that you can learn from a corpus of this size."

Counter = Callable[[bytes], int]
"""Counts the tokens of a text."""


def run(
    output: Path,
    *,
    vocab_size: int = 8192,
    against: Sequence[str] = (),
    seed: int = 0,
    force: bool = False,
    progress: Progress = silent,
) -> Demo:
    """Learn a vocabulary with several algorithms, and compare them on held-out text.

    Args:
        output: The folder to write: the text, a tokenizer per algorithm, a model moved onto
            one of them, ``demo.json``.
        vocab_size: Tokens of each vocabulary.
        against: Other tokenizers to measure: paths or hub ids.
        seed: Of the algorithms.
        force: Replace what is at `output`.
        progress: Told how far each step is.

    Raises:
        UsageError: If `output` exists and `force` is false.
        FormatError: If one of the other tokenizers cannot be loaded.
    """
    refuse_existing(output, force=force, sign=ACCOUNT)
    others = {name: load(name) for name in against}
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as temporary:
        folder = Path(temporary) / "demo"
        folder.mkdir()
        text = _write_text(folder, progress)
        own = _learn(folder, vocab_size, seed, progress)
        progress("measuring", 0, 0)
        held_out = _read_text(folder / HELD_OUT)
        counters = {**BASELINES, **_counters(others), **_counters(own)}
        sizes = {"bytes": 256} | {n: len(t.vocab) for n, t in {**others, **own}.items()}
        rows = [
            Row(name, sizes.get(name), _measure(counter, held_out))
            for name, counter in counters.items()
        ]
        progress("asking for the next byte", 0, 0)
        prompts = continue_prompts(own["bpe"], _read_text(folder / LEARNED))
        cuts = {name: _cut(tokenizer) for name, tokenizer in own.items()}
        moved = move_model(folder, held_out, progress)
        demo = Demo(str(output), text, rows, cuts, moved, prompts)
        (folder / ACCOUNT).write_text(json.dumps(demo.as_json(), indent=2) + "\n", "utf-8")
        replace_folder(folder, output)
    return demo


def _write_text(folder: Path, progress: Progress) -> dict[str, dict[str, int]]:
    """Write both parts of the text as JSON lines; count their documents and bytes."""
    progress("reading the standard library", 0, 0)
    counts = {part: {"documents": 0, "bytes": 0} for part in ("learned", "held out")}
    with (
        (folder / LEARNED).open("w", encoding="utf-8") as learned,
        (folder / HELD_OUT).open("w", encoding="utf-8") as held_out,
    ):
        for document in read_documents():
            count = counts["held out" if document.is_held_out else "learned"]
            count["documents"] += 1
            count["bytes"] += len(document.text.encode())
            file = held_out if document.is_held_out else learned
            file.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")
    return counts


def _read_text(path: Path) -> list[Document]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [Document(**json.loads(line)) for line in lines if line]


def _learn(
    folder: Path, vocab_size: int, seed: int, progress: Progress
) -> dict[str, Tokenizer]:
    """Learn with every algorithm; load what was written."""
    corpus = open_corpus([folder / LEARNED])
    for algorithm in ALGORITHMS:

        def report(stage: str, done: int, total: int, prefix: str = algorithm) -> None:
            progress(f"{prefix}: {stage}", done, total)

        pattern = choose_pattern(None, "keep", algorithm, None)
        options = Options(vocab_size=vocab_size, pattern=pattern, specials=(END,), seed=seed)
        train(algorithm, corpus, options, Job(progress=report), folder / algorithm)
    return {algorithm: load(folder / algorithm) for algorithm in ALGORITHMS}


def _counters(tokenizers: Mapping[str, Tokenizer]) -> dict[str, Counter]:
    """What counts the tokens of a text, for each tokenizer."""
    return {name: partial(_count_tokens, each) for name, each in tokenizers.items()}


def _count_tokens(tokenizer: Tokenizer, text: bytes) -> int:
    return len(tokenizer.encode(text))


def _count_words(text: bytes) -> int:
    """Count the pieces of cl100k: a vocabulary which holds every word would need as many."""
    pretokenizer = for_pattern(find_pattern("cl100k"))
    return len(pretokenizer.split(Pieces(*flatten([text]))).ends)


BASELINES: Mapping[str, Counter] = {
    "bytes": len,
    "characters": lambda text: len(text.decode()),
    "words": _count_words,
}
"""What needs no learning, and what a tokenizer of words could not exceed."""


def _measure(count: Counter, documents: Sequence[Document]) -> dict[str, float]:
    """Bytes per token of each kind of text, and of all."""
    sizes: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for document in documents:
        text = document.text.encode()
        sizes[document.kind] = sizes.get(document.kind, 0) + len(text)
        tokens[document.kind] = tokens.get(document.kind, 0) + count(text)
    figures = {kind: sizes[kind] / max(tokens[kind], 1) for kind in sorted(sizes)}
    return figures | {"all": sum(sizes.values()) / max(sum(tokens.values()), 1)}


def _cut(tokenizer: Tokenizer) -> list[str]:
    """The sentence in the tokens of a tokenizer."""
    data = SENTENCE.encode()
    return [data[begin:end].decode("utf-8", "replace") for begin, end in tokenizer.spans(data)]
