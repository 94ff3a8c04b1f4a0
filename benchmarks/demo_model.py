"""Train the small model that tokkit ships, on what the demo learns from.

    OMP_NUM_THREADS=1 python -m benchmarks.demo_model --output data/tokkit_data/demo-model

It is the standard library of the Python that runs (Python 3.11 for what is shipped) beside
tokkit's sample of languages, without the documents that the demo measures on. A run that was
interrupted is continued.
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reference_models import END, SEGMENT, learned, say, write_lines

SIZE = 4_096


def bits_per_byte(folder: Path, documents) -> dict[str, float]:
    """Measure the model on what is held out, by kind."""
    from tokkit.lm import HFModel
    from tokkit.lm.score import score, segments

    model = HFModel.load(folder)
    kinds: dict[str, list[bytes]] = {}
    for document in documents:
        kinds.setdefault(document.kind, []).append(document.text.encode())
    return {
        kind: round(score(model, segments(texts, SEGMENT)).bits_per_byte, 4)
        for kind, texts in kinds.items()
    }


def main() -> None:
    """Learn the tokenizer, train the model, measure it."""
    from tokkit.demo.text import read_documents
    from tokkit.lm.train import Architecture, Schedule, train

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    documents = list(read_documents())
    texts = [document.text for document in documents if not document.is_held_out]
    with TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus.jsonl")
        write_lines(corpus, texts)
        tokenizer = learned(corpus, "bpe", SIZE, "gpt2")
    assert END in tokenizer.vocab.specials
    training = train(
        (text.encode() for text in texts),
        tokenizer,
        options.output,
        Architecture(layers=4),
        Schedule(steps=options.steps, batch=4, precision="bfloat16"),
        dtype="bfloat16",
        progress=say,
    )
    held_out = (document for document in documents if document.is_held_out)
    figures = {
        "parameters": training.parameters,
        "tokens": training.seen_tokens,
        "seconds": training.seconds,
        "bits per byte": bits_per_byte(options.output, held_out),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
