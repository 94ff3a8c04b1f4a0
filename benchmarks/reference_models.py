"""Train the small models on which embedding transplants are measured.

    OMP_NUM_THREADS=1 python -m benchmarks.reference_models --output FOLDER --seeds 0 1 2

What is complete is left alone, and what was interrupted is continued. `FOLDER` becomes::

    text/train.jsonl, text/other.jsonl    what models, and target tokenizers, learn from
    text/calibration.jsonl                neither learned from nor measured on
    eval/docs.jsonl, web, code, math      held out, 40 to 60 kB of each
    tokenizers/source, bytebpe, sp, super
    models/source-s0, source-tied-s0 ...  by seed, with the source tokenizer
    models/donor-bytebpe, donor-sp ...    with a target's own tokenizer

A model's folder has ``reference.json``: steps, tokens, parameters, seconds, and bits per byte
of the held-out text by kind.
"""

import argparse
import gzip
import io
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.corpus import SHARED

END = "<|endoftext|>"
SIZES = {"docs": 4_500_000, "web": 2_300_000, "code": 1_500_000, "math": 800_000}
"""Bytes of each kind of text that models learn from."""
EVALUATED = 60_000
CALIBRATION = {"docs": 180_000, "web": 120_000, "code": 65_000, "math": 35_000}
LONGEST = 6_000  # bytes of a document that is not learned from: more documents, not longer ones
SEGMENT = 256  # bytes: the context holds it, whatever the tokenizer
TARGETS = ("bytebpe", "sp", "super")


def corpus(name: str) -> Iterator[dict]:
    """Yield the records of a reference corpus."""
    path = SHARED / name
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    for line in filter(None, data.decode().split("\n")):
        yield json.loads(line)


def documents(kind: str) -> Iterator[str]:
    """Yield the documents of a kind."""
    if kind == "math":
        for record in corpus("eval/gsm8k_test.jsonl"):
            yield f"Question: {record['question']}\nAnswer: {record['answer']}\n"
    elif kind == "code":
        records = corpus("corpora/code.jsonl.gz")
        yield from (record["text"] for record in records if record["lang"] == "python")
    else:
        name = {"docs": "docs_en.jsonl.gz", "web": "c4_sample.jsonl"}[kind]
        yield from (record["text"] for record in corpus(f"corpora/{name}"))


def other_documents() -> Iterator[str]:
    """Yield what the target tokenizers learn from, other text than the models'."""
    for record in corpus("corpora/code.jsonl.gz"):
        if record["lang"] != "python" or part(record["text"]) > 10:
            yield record["text"][:20_000]
    for record in corpus("corpora/parallel_fastapi.jsonl.gz"):
        yield from (record["text"][language] for language in ("en", "de", "fr", "es"))
    for name in ("wikitext2_test.txt", "wikitext2_valid.txt", "tiny_shakespeare.txt"):
        page = (SHARED / "corpora" / name).read_text(encoding="utf-8")
        yield from (page[start : start + 20_000] for start in range(0, len(page), 20_000))
    for record in corpus("corpora/docs_en.jsonl.gz"):
        if part(record["text"]) in (3, 4, 5):
            yield record["text"]


def part(text: str) -> int:
    """Say by its content which of twenty parts a document is in: 0 is measured on, 1 and 2
    are for calibration, the rest for learning."""
    return blake2b(text.encode(), digest_size=4, person=b"reference").digest()[0] % 20


def cut(text: str, size: int) -> str:
    """Leave out the end of a text that has more than `size` bytes."""
    return text.encode()[:size].decode(errors="ignore")


def taken(texts: Iterable[str], size: int) -> Iterator[str]:
    """Yield texts until they have `size` bytes together."""
    for text in texts:
        if size <= 0:
            return
        size -= len(text.encode())
        yield text


def write_lines(path: Path, texts: Iterable[str]) -> None:
    """Write documents as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[bytes]:
    """Read the documents that `write_lines` wrote."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["text"].encode() for line in file]


def write_texts(folder: Path) -> None:
    """Write what is learned from, calibrated with and measured on."""
    learned: list[str] = []
    calibration: list[str] = []
    for kind, size in SIZES.items():
        parts: dict[str, list[str]] = {"measured": [], "calibration": [], "learned": []}
        for text in dict.fromkeys(documents(kind)):
            names = {0: "measured", 1: "calibration", 2: "calibration"}
            parts[names.get(part(text), "learned")].append(text)
        measured = (cut(text, LONGEST) for text in parts["measured"])
        write_lines(folder / "eval" / f"{kind}.jsonl", taken(measured, EVALUATED))
        spare = (cut(text, LONGEST) for text in parts["calibration"])
        calibration += taken(spare, CALIBRATION[kind])
        learned += taken(parts["learned"], size)
    write_lines(folder / "text" / "calibration.jsonl", calibration)
    write_lines(folder / "text" / "other.jsonl", other_documents())
    write_lines(folder / "text" / "train.jsonl", learned)


def write_tokenizer(folder: Path, name: str) -> None:
    """Learn the source's tokenizer, or a target's."""
    import tokkit

    place = folder / "tokenizers" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    text = folder / "text" / ("train.jsonl" if name == "source" else "other.jsonl")
    made = {
        "source": lambda: learned(text, "bpe", 4_096, "gpt2"),
        "bytebpe": lambda: learned(text, "bpe", 8_192, "o200k"),
        "super": lambda: learned(text, "supertokens", 8_192, "none"),
        "sp": lambda: sentencepiece(text, 6_000),
    }
    tokkit.save(made[name](), place)


def learned(text: Path, algorithm: str, size: int, pattern: str):
    """Learn a byte-level tokenizer with tokkit."""
    from tokkit.corpus import open_corpus
    from tokkit.learn import ALGORITHMS
    from tokkit.learn.options import Job, Options
    from tokkit.patterns import PATTERNS

    options = Options(vocab_size=size, pattern=PATTERNS[pattern], specials=(END,))
    return ALGORITHMS[algorithm](open_corpus([text]), options, Job())[0]


def sentencepiece(text: Path, size: int):
    """Learn BPE as SentencePiece does, with a space before texts and bytes to fall back on."""
    import sentencepiece as library

    import tokkit

    lines = (line for text in read_lines(text) for line in text.decode().split("\n") if line)
    model = io.BytesIO()
    library.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=0.9995,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    with TemporaryDirectory() as place:
        file = Path(place, "tokenizer.model")
        file.write_bytes(model.getvalue())
        return tokkit.load(file)


@dataclass(frozen=True)
class Reference:
    """A model to train: its folder's name, its tokenizer, whether it is tied, its seed."""

    name: str
    tokenizer: str
    tied: bool = False
    seed: int = 0


def references(seeds: Iterable[int]) -> Iterator[Reference]:
    """Yield the models, the most important ones first."""
    for place, seed in enumerate(seeds):
        yield Reference(f"source-s{seed}", "source", seed=seed)
        yield Reference(f"source-tied-s{seed}", "source", tied=True, seed=seed)
        if place == 0:
            yield from (Reference(f"donor-{name}", name) for name in TARGETS)


def say(stage: str, done: int, total: int) -> None:
    """Write a line now and then."""
    if done % 100 == 0 or done == total:
        print(
            f"{time.strftime('%H:%M:%S')} {stage} {done}/{total}", file=sys.stderr, flush=True
        )


def bits_per_byte(folder: Path, output: Path) -> dict[str, float]:
    """Measure a model on the text held out, by kind."""
    from tokkit.lm import HFModel
    from tokkit.lm.score import score, segments

    model = HFModel.load(folder)
    return {
        path.stem: round(score(model, segments(read_lines(path), SEGMENT)).bits_per_byte, 4)
        for path in sorted((output / "eval").glob("*.jsonl"))
    }


def make(reference: Reference, output: Path, steps: int, batch: int) -> None:
    """Train a model and measure it."""
    import tokkit
    from tokkit.lm.train import Architecture, Schedule, train

    folder = output / "models" / reference.name
    account = folder / "reference.json"
    if not folder.exists():
        schedule = Schedule(steps=steps, batch=batch, seed=reference.seed, precision="bfloat16")
        train(
            read_lines(output / "text" / "train.jsonl"),
            tokkit.load(output / "tokenizers" / reference.tokenizer),
            folder,
            Architecture(tied=reference.tied),
            schedule,
            progress=say,
        )
    if not account.exists():
        training = json.loads((folder / "training.json").read_bytes())
        figures = {
            "reference": asdict(reference),
            "steps": steps,
            "tokens": training["seen_tokens"],
            "parameters": training["parameters"],
            "seconds": training["seconds"],
            "loss": training["losses"][-1],
            "bits_per_byte": bits_per_byte(folder, output),
        }
        account.with_suffix(".new").write_text(json.dumps(figures, indent=1) + "\n")
        account.with_suffix(".new").rename(account)
        print(json.dumps(figures), flush=True)


def main() -> None:
    """Train all that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=[], help="names of models")
    options = parser.parse_args()
    output = options.output
    if not (output / "text" / "train.jsonl").exists():
        write_texts(output)
    for name in ("source", *TARGETS):
        if not (output / "tokenizers" / name).exists():
            write_tokenizer(output, name)
            say(f"tokenizer {name}", 1, 1)
    for reference in references(options.seeds):
        if not options.only or reference.name in options.only:
            make(reference, output, options.steps, options.batch)


if __name__ == "__main__":
    main()
