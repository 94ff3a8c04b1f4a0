"""Random command lines over good, bad and odd files."""

import gzip
import json
import random
from pathlib import Path

TEXTS = {
    "plain.txt": "the cat sat on the mat; the other cat did not.\n" * 40,
    "mixed.txt": "Ärger, été, 東京 12345 🙂\n\n\t  x = foo(bar)\r\n" * 20,
    "empty.txt": "",
    "spaces.txt": " \n\t \r\n " * 30,
    "one-word.txt": "a" * 5000,
    "nul.txt": "a\0b\0\0c\n" * 30,
}
GOOD = ("plain.txt", "mixed.txt", "records.jsonl", "records.jsonl.gz", "/ids.jsonl")
RECORDS = [{"text": "one two three two one", "n": 1}, {"text": "", "n": 2}, {"text": "zwei"}]
SPOILT = (
    b'[1, 2, \xff\xfe {"ids"\n\n[1,2]\n{"ids": [3]}\nnull\n[-1]\n[1e9]\n'
    b"[99999999999999999999]\n"
)


def make_files(folder: Path, tokenizer: Path) -> tuple[list[str], list[str]]:
    """Write corpora and tokenizers of every kind of goodness; return the paths of each.

    `tokenizer` is a good folder, which the spoilt ones are made of.
    """
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    lines = "\n".join(map(json.dumps, RECORDS)).encode()
    (folder / "records.jsonl").write_bytes(lines)
    (folder / "records.jsonl.gz").write_bytes(gzip.compress(lines))
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(lines * 50)[:-20])
    (folder / "lying.txt.gz").write_bytes(b"not compressed")
    (folder / "lying.zst").write_bytes(b"\x28\xb5\x2f\xfd nothing")
    (folder / "lying.parquet").write_bytes(b"PAR1 nothing PAR1")
    (folder / "broken.jsonl").write_bytes(b'{"text": "good"}\n{"text": 7}\n{oops\n"\xff"\n')
    (folder / "bytes.bin").write_bytes(bytes(range(256)) * 8)
    (folder / "ids.jsonl").write_bytes(b'[1, 2, 3]\n\n[]\n{"ids": [4]}\n')
    (folder / "spoilt-ids.jsonl").write_bytes(SPOILT)
    (folder / "nothing").mkdir()
    (folder / "name with\nline feed.txt").write_text("text", encoding="utf-8")
    corpora = [str(path) for path in sorted(folder.iterdir())]
    return corpora, _make_tokenizers(folder / "tokenizers", tokenizer)


def _make_tokenizers(folder: Path, tokenizer: Path) -> list[str]:
    good = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    folder.mkdir()
    spoilt = {
        "not-json.json": b"{",
        "empty.json": b"{}",
        "list.json": b"[]",
        "null.json": b"null",
        "ranks.tiktoken": b"YQ== 0\nYg== 1\nYWI= 2\n",
        "bad.tiktoken": b"YQ== zero\n!!\n",
        "empty.tiktoken": b"",
        "bad.model": b"\x0a\x03\x0a\x01a" * 3,
        "bad.gguf": b"GGUF\x03\x00\x00\x00" + bytes(64),
        "cut.gguf": b"GGUF",
    }
    for part in ("model", "pre_tokenizer", "decoder", "normalizer", "added_tokens"):
        spoilt[f"no-{part}.json"] = _dump({k: v for k, v in good.items() if k != part})
        spoilt[f"odd-{part}.json"] = _dump({**good, part: {"type": "Odd"}})
        spoilt[f"text-{part}.json"] = _dump({**good, part: "text"})
    model = good["model"]
    for key in list(model):
        spoilt[f"model-no-{key}.json"] = _dump(
            {**good, "model": {k: v for k, v in model.items() if k != key}}
        )
        spoilt[f"model-odd-{key}.json"] = _dump({**good, "model": {**model, key: 7}})
    for name, content in spoilt.items():
        if name.endswith(".json"):
            (folder / name[:-5]).mkdir()
            (folder / name[:-5] / "tokenizer.json").write_bytes(content)
        else:
            (folder / name).write_bytes(content)
    (folder / "no-files").mkdir()
    return [str(tokenizer)] * 12 + [str(path) for path in sorted(folder.iterdir())]


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


VALUES = {
    "--algorithm": ["bpe", "superbpe", "supertokens", "bpe", "lib", "unigram", "magic"],
    "--vocab-size": ["300", "280", "257", "256", "10", "0", "-1", "x", "400"],
    "--target-size": ["300", "0"],
    "--transition": ["0.5", "0", "1", "2", "nan", "-0.1"],
    "--max-words": ["1", "3", "0"],
    "--set": ["life=3", "epochs=5", "chunks=1", "max_bytes=4", "x=", "=", "alpha=nan"],
    "--min-count": ["1", "2", "1000000", "0", "99999999999999999999"],
    "--special": ["<|end|>", "", "a", "a b", "<|end|>", "\udcff", "\0"],
    "--pattern": [
        "gpt2",
        "cl100k",
        "o200k",
        "none",
        "superbpe",
        "((",
        r"\w+",
        "",
        "x*",
        "nope",
    ],
    "--digits": ["keep", "single", "l2r3", "r2l3", "roman"],
    "--text-column": ["text", "body", "", "n"],
    "--sample": ["1", "0.5", "0", "2", "nan"],
    "--on-error": ["raise", "skip", "ignore"],
    "--seed": ["0", "7", "-1", "99999999999999999999"],
    "--engine": ["local", "dask", "ray"],
    "--scheduler": ["tcp://127.0.0.1:9", "nonsense"],
    "--to": ["hf", "files", "tiktoken", "gguf", "word"],
}
FLAGS = {
    "train-vocab": ["--force", "--resume"],
    "count": ["--force"],
    "merge-counts": ["--force"],
    "encode": ["--whole", "--specials", "--no-specials"],
    "decode": ["--whole", "--specials"],
    "convert": ["--force"],
}
OPTIONS = {
    "train-vocab": [name for name in VALUES if name not in ("--engine", "--scheduler", "--to")],
    "count": ["--pattern", "--digits", "--text-column", "--sample", "--on-error", "--seed"],
    "merge-counts": [],
    "encode": ["--pattern", "--text-column", "--on-error"],
    "decode": ["--pattern"],
    "convert": ["--pattern", "--to"],
}
LIKELY = ("--to", "--vocab-size", "--algorithm")
STDIN = [b"", b"two words\n", b'{"text": "a record"}\n', b"[1, 2]\n", SPOILT, b"\xff\x00" * 9]


def random_invocation(
    draw: random.Random, corpora: list[str], tokenizers: list[str], outputs: list[str]
) -> tuple[list[str], bytes]:
    """A command line, and what is on standard input; about half of them can work."""
    command = draw.choice([*OPTIONS] * 9 + ["demo --bogus", "warmup x", "tain-vocab", "-q", ""])
    arguments = command.split()
    if command in ("encode", "decode", "convert"):
        arguments.append(draw.choice(tokenizers))
    arguments += _inputs(draw, command, corpora, outputs)
    for option in OPTIONS.get(command, []):
        if draw.random() < (0.9 if option in LIKELY else 0.1):
            first = VALUES[option][: 3 if option in LIKELY else 2]
            values = first if draw.random() < 0.7 else VALUES[option]
            arguments += [option, draw.choice(values)]
    if command in ("train-vocab", "count", "merge-counts", "convert") and draw.random() < 0.97:
        arguments += ["-o", draw.choice(outputs)]
    if command == "train-vocab" and draw.random() < 0.1:
        arguments += ["--init", draw.choice(tokenizers)]
    if draw.random() < 0.03:
        option = draw.choice(["--engine", "--scheduler"])
        arguments += [option, draw.choice(VALUES[option])]
    flags = ["--json", "-q", "-v", *FLAGS.get(command, []) * 2]
    arguments += draw.choices(flags, k=draw.choice([0, 1, 2]))
    if draw.random() < 0.03:
        arguments.insert(
            draw.randrange(len(arguments) + 1), draw.choice(["--bogus", "-x", "--"])
        )
    return arguments, draw.choice(STDIN)


def _inputs(
    draw: random.Random, command: str, corpora: list[str], outputs: list[str]
) -> list[str]:
    """What a command reads: most often something good."""
    if command == "convert":
        return []
    good = [path for path in corpora if path.endswith(GOOD)]
    if command == "merge-counts":
        good = outputs[:3]
    if command == "train-vocab" and draw.random() < 0.1:
        return ["--from-counts", draw.choice([*outputs, *corpora])]
    bad = [*corpora, "-", "no-such-file", "*.nothing"]
    pool = good if draw.random() < 0.6 else bad
    return draw.choices(pool, k=draw.choice([0, 1, 1, 1, 1, 2]))


ASKING = {
    "next": ["--prefix", "--prefix-hex", "--prefix-file", "--top"],
    "score": ["--text-column", "--on-error"],
    "sample": ["--prompt", "--prompt-hex", "--stop", "--temperature", "--top-k", "--top-p"],
    "fill": ["--prefix", "--suffix", "--order", "--baseline", "--sentinels", "--limit"],
}
ASKED = {
    "--prefix": ["It was t", "", "été", "\0", "the worst " * 20, "\udcff"],
    "--prefix-hex": ["e2 82", "c3", "ff", "6", ""],
    "--suffix": ["of times", "", "\udcff"],
    "--top": ["3", "257", "0", "x"],
    "--stop": ["t", "", "\udcff"],
    "--temperature": ["0.7", "0", "-1", "nan", "1e-9"],
    "--top-k": ["1", "300", "0"],
    "--top-p": ["0.9", "1", "0", "nan"],
    "--order": ["plain", "psm", "spm", "none"],
    "--baseline": ["plain", "token-healing", "none"],
    "--sentinels": ["<|end|>,<|end|>,<|end|>", "a,b", ",,"],
    "--limit": ["1", "0"],
    "--segmentation": ["renorm", "mask", "all", "none"],
    "--beam": ["2", "0"],
    "--mix": ["product", "mixture", "sum"],
    "--weight": ["1", "0", "-1", "nan"],
    "--dtype": ["float32", "float64", "int8"],
    "--start": ["<|end|>", "a", ""],
    "--text-column": VALUES["--text-column"],
    "--on-error": VALUES["--on-error"],
}
ASKED["--prompt"], ASKED["--prompt-hex"] = ASKED["--prefix"], ASKED["--prefix-hex"]
ABOUT_MODELS = ["--segmentation", "--beam", "--mix", "--weight", "--dtype", "--start"]


def random_question(
    draw: random.Random, models: list[str], corpora: list[str], output: str
) -> tuple[list[str], bytes]:
    """A command line of ``tokkit byte-probs``, and what is on standard input."""
    command = draw.choice([*ASKING])
    arguments = ["byte-probs", command, draw.choice(models)]
    if command == "score":
        arguments += draw.choices([*corpora, "-"], k=draw.choice([0, 1, 1, 2]))
    if command in ("sample", "fill"):
        arguments += ["--max-bytes", "12"]
    for place, option in enumerate([*ASKING[command], *ABOUT_MODELS]):
        if draw.random() < (0.7 if place == 0 else 0.15):
            values = corpora if option == "--prefix-file" else ASKED[option]
            arguments += [option, draw.choice(values)]
    if draw.random() < 0.2:
        arguments += ["--ensemble", draw.choice(models)]
    if command in ("score", "fill") and draw.random() < 0.2:
        arguments += ["-o", output + draw.choice([".json", ".csv", ".txt"])]
    if command == "fill" and draw.random() < 0.2:
        arguments += ["--benchmark", draw.choice(corpora)]
    flags = ["--json", "--stats", "--per-byte", "--whole", "--compare", "--greedy", "--resume"]
    return arguments + draw.choices(flags, k=draw.choice([0, 0, 1, 2])), draw.choice(STDIN)
