"""Answers of a model to many questions at once, the likeliest token each time."""

from typing import Any

import numpy as np
import torch

from tokkit.studies.scratch.rows import PAD, Rows, lengths

_BATCH = 1024
"""How many questions are asked at once."""


def greedy(model: Any, questions: Rows, end: int, most: int) -> Rows:
    """Let a model answer.

    Questions of equal length are asked together, so that none is padded, and a batch stops
    when all of its answers have ended.

    Args:
        model: A causal language model of transformers.
        questions: ``int64[n, length]``, padded at the right.
        end: The token that ends an answer.
        most: How many tokens an answer may have, with that one.

    Returns:
        ``int64[n, most]``: the answers up to `end`, which an answer that was cut off lacks.
    """
    answers = np.full((len(questions), most), PAD, dtype=np.int64)
    sizes = lengths(questions)
    was_training = model.training
    model.eval()
    for size in np.unique(sizes):
        asked = np.flatnonzero(sizes == size)
        for part in np.array_split(asked, -(-len(asked) // _BATCH)):
            answers[part] = _answer(model, questions[part, :size], end, most)
    model.train(was_training)
    return answers


@torch.inference_mode()
def _answer(model: Any, questions: Rows, end: int, most: int) -> Rows:
    """Let a model answer questions of one length."""
    tokens = torch.from_numpy(questions).to(model.device)
    said: list[torch.Tensor] = []
    is_over = torch.zeros(len(questions), dtype=torch.bool, device=model.device)
    past = None
    while len(said) < most and not bool(is_over.all()):
        output = model(input_ids=tokens, past_key_values=past, use_cache=True)
        past = output.past_key_values
        tokens = output.logits[:, -1].argmax(-1, keepdim=True)
        said.append(tokens[:, 0].masked_fill(is_over, PAD))
        is_over |= tokens[:, 0] == end
    found = torch.stack(said, dim=1).cpu().numpy()
    return np.pad(found, ((0, 0), (0, most - len(said))), constant_values=PAD)
