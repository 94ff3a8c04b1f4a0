"""Tiny models over the tokens of `small`, and their plain forward pass."""

import numpy as np
import torch

from tests.dynamic.test_merging import small
from tests.transplant.models import build
from tokkit.dynamic import merge_batch
from tokkit.dynamic.models.embedding import find_rows
from tokkit.hypernet.source import SourceRows
from tokkit.lm.hf import HFModel

SIZE = 264
"""Rows of the models: four more than there are tokens."""
START = 258
TEXTS = (b"xyxyxyzz abab", b"xyzz bab", b"qq xyxy", b"zzzz xy xy xy abab")
TOKENIZER = small()


def decoder(name, **options):
    return HFModel(build(name, vocab_size=SIZE, **options), TOKENIZER, start=[START])


def merged(merges, texts=TEXTS):
    """The texts after so many merges."""
    return merge_batch(TOKENIZER, TOKENIZER.encode_batch(texts), merges=merges)


def rows_for(model, batch, embeddings="last/front-shrunk"):
    """The rows of the new tokens of a batch for a torch model."""
    source = SourceRows.of(model, TOKENIZER)
    return find_rows(source, embeddings).rows(batch.tokens, batch.parts)


def plain_logits(model, ids):
    """The logits of a sequence after the start, run by itself and without tokkit."""
    whole = torch.tensor([[START, *np.asarray(ids).tolist()]])
    with torch.inference_mode():
        return model.model(input_ids=whole).logits[0]
