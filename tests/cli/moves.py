"""Random command lines of ``tokkit transplant``, over good and spoilt models."""

import json
import random
from pathlib import Path

from tests.cli.invocations import GOOD, STDIN, VALUES

MOVING = {
    "--method": [
        "last",
        "mean",
        "front-shrunk",
        "random",
        "tokenadapt",
        "omp",
        "zett",
        "nothing",
        "",
    ],
    "--method-in": ["last", "adaptivocab", "focus", "nothing"],
    "--method-out": ["front", "global-mean", "wechsel", "nothing"],
    "--set": ["decay=0.5", "atoms=2", "decay=nan", "decay=2", "x=", "=", "", "decay"],
    "--override": ["a=b", "<|end|>=a", "=", "a=", "=a", "0=1", "no such token=a", "\udcff=a"],
    "--temperature": ["0.3", "1e9", "0", "nan"],
    "--top-k": ["1", "99999", "0"],
    "--global-weight": ["0", "1", "2", "nan"],
    "--pad-to": ["8", "64", "0", "-1"],
    "--dtype": ["float32", "bfloat16", "float16", "int8"],
    "--calibrate-by": ["scalar", "token", "nothing"],
    "--tune": ["1", "0", "-1"],
    "--device": ["cpu", "auto", "nothing", ""],
    "--seed": ["7", "-1", "99999999999999999999"],
    "--text-column": VALUES["--text-column"],
}
TEMPLATES = ["target", "source", "none", "nothing", ""]
TOKENS = ["a", " the", "0", "-1", "99999", "", "\udcff", "<|end|>"]
OF_CORPORA = ["--corpus", "--dictionary", "--calibrate", "--tune-corpus", "--evaluate"]
OF_MODELS = ["--donor", "--aux-model", "--hypernet", "--model-tokenizer"]


def random_move(
    draw: random.Random,
    models: list[str],
    tokenizers: list[str],
    corpora: list[str],
    plans: list[str],
    outputs: list[str],
) -> tuple[list[str], bytes]:
    """A command line of ``tokkit transplant``, and what is on standard input.

    Most of them only ask what would be done. `models` and `plans` are good and spoilt ones, the
    good ones first, `outputs` what calls may write or have written.
    """
    if draw.random() < 0.1:
        plan, token = draw.choice([*plans, *outputs, *corpora]), draw.choice(TOKENS)
        return ["transplant", "explain", plan, token], b""
    arguments = ["transplant", "run"] if draw.random() < 0.3 else ["transplant"]
    tokenizer = tokenizers[0] if draw.random() < 0.6 else draw.choice(tokenizers)
    arguments += [draw.choice(models), tokenizer]
    texts = sorted(corpora, key=lambda path: not path.endswith(GOOD))
    chances = {
        **dict.fromkeys(OF_CORPORA, (0.05, texts)),
        **dict.fromkeys(OF_MODELS, (0.05, models)),
        **{option: (0.08, values) for option, values in MOVING.items()},
        "--chat-template": (0.1, [*TEMPLATES, *corpora]),
        "--plan": (0.1, [*plans, *outputs, *corpora]),
        "--save-plan": (0.1, outputs),
        "-o": (0.97, outputs),
    }
    for option, (chance, values) in chances.items():
        if draw.random() < chance:
            likely = values[:2] if draw.random() < 0.7 else values
            arguments += [option, draw.choice(likely)]
    arguments += ["--dry-run"] * (draw.random() < 0.6)
    arguments += draw.choices(["--json", "-q", "-v", "--force"], k=draw.choice([0, 1, 2]))
    if draw.random() < 0.1:
        arguments.append(draw.choice(["--untie", "--verify", "--bogus"]))
    return arguments, draw.choice(STDIN)


def make_models(folder: Path, model: Path) -> list[str]:
    """Write models of every kind of goodness, made of a good one; return all folders."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    weights = (model / "model.safetensors").read_bytes()
    header = int.from_bytes(weights[:8], "little")
    spoilt: dict[str, dict[str, bytes | None]] = {
        "no-config": {"config.json": None},
        "no-weights": {"model.safetensors": None},
        "no-tokenizer": {"tokenizer.json": None},
        "odd-config": {"config.json": b"[]"},
        "broken-config": {"config.json": b"{"},
        "no-type": {
            "config.json": _dump({k: v for k, v in config.items() if k != "model_type"})
        },
        "odd-type": {"config.json": _dump({**config, "model_type": 7})},
        "new-type": {"config.json": _dump({**config, "model_type": "nothing"})},
        "odd-size": {"config.json": _dump({**config, "vocab_size": "many"})},
        "small-size": {"config.json": _dump({**config, "vocab_size": 3})},
        "odd-end": {"config.json": _dump({**config, "eos_token_id": [{}, 10**9]})},
        "tied": {"config.json": _dump({**config, "tie_word_embeddings": True})},
        "quantized": {"config.json": _dump({**config, "quantization_config": {"bits": 4}})},
        "cut-weights": {"model.safetensors": weights[:-10]},
        "cut-header": {"model.safetensors": weights[: header // 2]},
        "empty-weights": {"model.safetensors": b""},
        "long-header": {"model.safetensors": b"\xff" * 8 + weights[8:]},
        "odd-header": {"model.safetensors": (2).to_bytes(8, "little") + b"[]"},
        "no-tensors": {"model.safetensors": (2).to_bytes(8, "little") + b"{}"},
        "odd-index": {"model.safetensors.index.json": b'{"weight_map": {"a": 7}}'},
        "empty-index": {"model.safetensors.index.json": b"{}", "model.safetensors": None},
        "odd-generation": {
            "generation_config.json": b'{"eos_token_id": "x", "bad_words_ids": 3}'
        },
        "odd-settings": {
            "tokenizer_config.json": b'{"eos_token": 7, "chat_template": {"a": 1}}'
        },
        "broken-settings": {"tokenizer_config.json": b"\xff"},
    }
    good = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    for name, changes in spoilt.items():
        (folder / name).mkdir(parents=True)
        for file, content in (good | changes).items():
            if content is not None:
                (folder / name / file).write_bytes(content)
    (folder / "no-files").mkdir()
    return [str(model)] * len(spoilt) * 2 + [str(path) for path in sorted(folder.iterdir())]


def make_plans(folder: Path, plan: Path) -> list[str]:
    """Write plans of every kind of goodness, made of a good one; return all, the good first."""
    content = plan.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    told = json.loads(header["__metadata__"]["plan"])
    spoilt = {
        "cut": content[:-100],
        "empty": b"",
        "other-name": content.replace(b"input.rows.ids", b"input.rows.odd", 1),
        "other-type": content.replace(b'"I32"', b'"F32"', 1),
        "zeros": content[:end] + bytes(len(content) - end),
        "ones": content[:end] + b"\xff" * (len(content) - end),
        **{
            f"told-{name}": _join({**header, "__metadata__": {"plan": value}}, content[end:])
            for name, value in {
                "nothing": "{}",
                "list": "[]",
                "broken": "{",
                "no-seed": json.dumps({k: v for k, v in told.items() if k != "seed"}),
                "odd-names": json.dumps({**told, "source": 7}),
            }.items()
        },
    }
    folder.mkdir()
    for name, changed in spoilt.items():
        (folder / name).write_bytes(changed)
    return [str(plan)] * 2 + [str(path) for path in sorted(folder.iterdir())]


def _join(header: dict[str, object], data: bytes) -> bytes:
    """A safetensors file of this header."""
    packed = _dump(header)
    return len(packed).to_bytes(8, "little") + packed + data


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()
