"""Does ``tokkit transplant --method tokenadapt`` make the rows that TokenAdapt's script makes?

    python -m benchmarks.transplant_equal --tokenadapt FOLDER PYTHON --auxiliary FOLDER

Both move a model in float32 from the vocabulary of GPT-2 to the first 20,000 tokens of that of
Llama 3. The script works on decoded text, tokkit on bytes: rows are compared where the text of
a token and of its pieces are their bytes. An encoder may give several old tokens one vector, as
one that knows no capitals does; where such tokens tie for the last place among the three
nearest, each takes another. So rows are also told apart by whether the three are beyond doubt,
and tokens whose text is their bytes.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import transplant

CASE = transplant.Case("gpt2-64-float", "llama3-first-20000", "tokenadapt", "tokenadapt")
LOCAL = replace(CASE, global_weight=0.0)
MATRICES = ("model.embed_tokens.weight", "lm_head.weight")
TOLERANCE = 1e-5
APART = 1e-5
"""How far apart two cosines are at least if no rounding can change their order."""


def byte_alphabet() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    characters = {chr(byte): byte for byte in shown}
    return characters | {chr(256 + place): byte for place, byte in enumerate(hidden)}


def spellings(tokenizer) -> dict[int, bytes]:
    """The bytes of every token that is not special, by id."""
    alphabet, special = byte_alphabet(), set(tokenizer.all_special_ids)
    return {
        number: bytes(alphabet[character] for character in token)
        for token, number in tokenizer.get_vocab().items()
        if number not in special
    }


def faithful(source, target) -> tuple[list[int], list[int]]:
    """Ids of the new tokens whose text, and whose pieces' text, are their bytes; the others."""
    old, new = spellings(source), spellings(target)
    shared, kept, others = set(old.values()), [], []
    for number, spelling in sorted(new.items()):
        if spelling in shared:
            continue
        text = target.decode([number])
        pieces = source.encode(text, add_special_tokens=False)
        same = text.encode() == spelling == b"".join(old[piece] for piece in pieces)
        same = same and all(source.decode([piece]).encode() == old[piece] for piece in pieces)
        (kept if same else others).append(number)
    return kept, others


def certain(source, target, ids: list[int], vectors: dict[str, list[float]]) -> list[int]:
    """Those of the ids whose three nearest old tokens are certain, and have a text."""
    import numpy as np

    def units(texts: list[str]):
        rows = np.array([vectors[text] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    old = spellings(source)
    order = sorted(source.get_vocab().values())
    texts = [source.decode([number]) for number in order]
    is_text = [old.get(n) == text.encode() for n, text in zip(order, texts, strict=True)]
    offered, clear = units(texts), []
    for start in range(0, len(ids), 256):
        some = ids[start : start + 256]
        cosines = units([target.decode([number]) for number in some]) @ offered.T
        nearest = np.argsort(-cosines, axis=1)[:, :4]
        sorted_cosines = np.take_along_axis(cosines, nearest, axis=1)
        for number, places, row in zip(some, nearest.tolist(), sorted_cosines, strict=True):
            if row[2] - row[3] > APART and all(is_text[place] for place in places[:3]):
                clear.append(number)
    return clear


def both(case: transplant.Case, options) -> dict[str, tuple]:
    """The matrices that tokkit and the script make."""
    from safetensors.numpy import load_file

    made = []
    for who, command in (("tokkit", transplant.tokkit), ("tokenadapt", transplant.rival)):
        output = options.output / f"equal-{case.global_weight}-{who}"
        figures = transplant.run(command(case, options, output), output)
        if "failed" in figures:
            sys.exit(f"{who}: {figures['failed']}")
        made.append(load_file(output / "model.safetensors"))
    return {matrix: (made[0][matrix], made[1][matrix]) for matrix in MATRICES}


def report(matrices: dict[str, tuple], groups: dict[str, list[int]]) -> None:
    """Print how many rows of each group are equal."""
    import numpy as np

    for matrix, (ours, theirs) in matrices.items():
        size = min(len(ours), len(theirs))
        apart = np.abs(ours[:size] - theirs[:size]).max(axis=1)
        for title, ids in groups.items():
            far = [number for number in ids if apart[number] > TOLERANCE]
            largest = max((apart[number] for number in {*ids} - {*far}), default=0)
            print(
                f"  {matrix}: {title}: {len(ids) - len(far)} of {len(ids)} within {TOLERANCE}"
                f" (largest {largest:.1e}); ids apart {far[:6]}",
                flush=True,
            )


def main() -> None:
    """Make both models, and print how their rows differ."""
    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=transplant.OUTPUT)
    parser.add_argument("--tokkit", default=str(Path(sys.executable).with_name("tokkit")))
    parser.add_argument("--tokenadapt", nargs=2, required=True, metavar=("FOLDER", "PYTHON"))
    parser.add_argument("--auxiliary", required=True, metavar="FOLDER")
    options = parser.parse_args()
    options.output = options.output.resolve()
    transplant.prepare(options, [CASE])
    made, local = both(CASE, options), both(LOCAL, options)
    models = options.output / "models"
    source, target = (
        AutoTokenizer.from_pretrained(models / name) for name in (CASE.model, CASE.target)
    )
    kept, others = faithful(source, target)
    cache = f"tokenadapt-{CASE.model}-{CASE.target}/cache_{Path(options.auxiliary).name}.json"
    vectors = json.loads(Path(options.output, "cache", cache).read_text())
    clear = certain(source, target, kept, vectors)
    groups = {
        "text is bytes, nearest certain": clear,
        "text is bytes, nearest not certain": sorted({*kept} - {*clear}),
        "text is not bytes": others,
    }
    print("both halves")
    report(made, groups)
    print("the local half alone, which knows no neighbours")
    report(local, {"text is bytes": kept, "text is not bytes": others})


if __name__ == "__main__":
    main()
