"""Rivals of `tokkit transplant` that need driving, in a process of their own interpreter.

``python -m benchmarks.transplant_rivals NAME SPECIFICATION`` writes the model that they make
and prints figures as JSON. Only what the rival itself needs is imported.

* ``tokenadapt``, the script of arXiv 2505.09738 (a checkout of Tinycompany-AI/tokenadapt):
  it can only push to a public repository, so pushing is made saving. It keeps what the
  auxiliary encoder gave in a JSON file of the folder it is run in.
* ``focus``, deepfocus (arXiv 2305.14481): a function for one matrix, called once for each,
  after which both are put in the place of those of the model.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path


def tokenadapt(spec: dict) -> dict:
    """Run the script with its defaults; ``heuristics`` are the seconds in its two formulas."""
    sys.path.insert(0, str(Path(spec["rival"], "src")))
    import transformers
    import transplant

    base = transformers.PreTrainedTokenizerBase
    for kind in (transformers.PreTrainedModel, base):
        kind.push_to_hub = lambda self, _name, **_: self.save_pretrained(spec["output"])
    seconds = 0.0
    initialise = transplant.transplant_untied_embeddings

    def timed(**arguments):
        nonlocal seconds
        before = time.process_time()
        initialise(**arguments)
        seconds = time.process_time() - before

    transplant.transplant_untied_embeddings = timed
    os.makedirs(spec["cache"], exist_ok=True)
    os.chdir(spec["cache"])
    transplant.main(
        argparse.Namespace(
            model_path=spec["model"],
            new_tokenizer_path=spec["tokenizer"],
            embedding_model_path=spec["auxiliary"],
            new_model_name=spec["output"],
            hf_token=None,
            temperature=0.3,
            multiple_of=128,
            dtype=spec["dtype"],
            batch_size=64,
            top_k=3,
            weight=spec["weight"],
            threshold=0.0,
        )
    )
    return {"heuristics": seconds}


def focus(spec: dict) -> dict:
    """Initialise both matrices with the defaults of the function, in one process."""
    os.environ["XDG_CACHE_HOME"] = spec["cache"]
    os.environ["HF_DATASETS_CACHE"] = str(Path(spec["cache"], "datasets"))
    shutil.rmtree(spec["cache"], ignore_errors=True)
    import torch
    from deepfocus import FOCUS
    from safetensors.torch import load_file, save_file
    from transformers import AutoTokenizer

    source, target = (
        AutoTokenizer.from_pretrained(spec[name]) for name in ("model", "tokenizer")
    )
    weights = load_file(Path(spec["model"], "model.safetensors"))
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = FOCUS(
            target_tokenizer=target,
            source_tokenizer=source,
            source_embeddings=weights[name].float(),
            target_training_data_path=spec["corpus"],
            processes=1,
        ).to(torch.bfloat16)
    os.makedirs(spec["output"])
    save_file(weights, Path(spec["output"], "model.safetensors"), {"format": "pt"})
    target.save_pretrained(spec["output"])
    return {}


if __name__ == "__main__":
    _name, _spec = sys.argv[1], json.loads(sys.argv[2])
    sys.argv = sys.argv[:1]
    print(json.dumps({"tokenadapt": tokenadapt, "focus": focus}[_name](_spec)))
