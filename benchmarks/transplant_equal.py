"""Does ``tokkit transplant --method tokenadapt`` make the rows that TokenAdapt's script makes?

    python -m benchmarks.transplant_equal --tokenadapt FOLDER PYTHON --auxiliary FOLDER

Both move a model in float32 from the vocabulary of GPT-2 to the first 20,000 tokens of that of
Llama 3. The script works on decoded text, tokkit on bytes: rows are compared where the text of
a token and of its pieces are their bytes. Others are counted.
"""

import argparse
import sys
from pathlib import Path

from benchmarks import transplant

CASE = transplant.Case("gpt2-64-float", "llama3-first-20000", "tokenadapt", "tokenadapt")
MATRICES = ("model.embed_tokens.weight", "lm_head.weight")
TOLERANCE = 1e-5


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


def main() -> None:
    """Make both models, and print how their rows differ."""
    import numpy as np
    from safetensors.numpy import load_file
    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=transplant.OUTPUT)
    parser.add_argument("--tokkit", default=str(Path(sys.executable).with_name("tokkit")))
    parser.add_argument("--tokenadapt", nargs=2, required=True, metavar=("FOLDER", "PYTHON"))
    parser.add_argument("--auxiliary", required=True, metavar="FOLDER")
    options = parser.parse_args()
    options.output = options.output.resolve()
    transplant.prepare(options, [CASE])
    made = {}
    for who, command in (("tokkit", transplant.tokkit), ("tokenadapt", transplant.rival)):
        output = options.output / f"equal-{who}"
        if not output.exists() or who == "tokkit":
            print(who, transplant.run(command(CASE, options, output), output), flush=True)
        made[who] = load_file(output / "model.safetensors")
    models = options.output / "models"
    names = (CASE.model, CASE.target)
    kept, others = faithful(*(AutoTokenizer.from_pretrained(models / name) for name in names))
    for matrix in MATRICES:
        rows = made["tokkit"][matrix], made["tokenadapt"][matrix]
        size = min(map(len, rows))
        apart = np.abs(rows[0][:size] - rows[1][:size]).max(axis=1)
        print(f"{matrix}: rows {len(rows[0])} and {len(rows[1])}")
        for title, ids in (("text is bytes", kept), ("text is not bytes", others)):
            far = [number for number in ids if apart[number] > TOLERANCE]
            largest = max((apart[number] for number in ids if number not in far), default=0)
            print(
                f"  {title}: {len(ids) - len(far)} of {len(ids)} within {TOLERANCE}"
                f" (largest {largest:.1e}); ids apart {far[:12]}"
            )


if __name__ == "__main__":
    main()
