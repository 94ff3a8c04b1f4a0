"""What tests of continued training share."""

import tokkit
from tests.transplant import models
from tests.transplant.folders import byte_level, write
from tokkit.transplant import Options, transplant
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.tensors import read

SPECIALS = ("<s>", "</s>")
CONFIG = {"bos_token": "<s>", "eos_token": "</s>"}
TEXT = "the cat in the hat\nat the inn, then that cat chats at the hat\n" * 40
"""Written to one file, which is one document."""


def write_model(folder, kind="llama", **changes):
    """Write a random model whose tokenizer has a token of each byte and one more."""
    own = byte_level(SPECIALS, [("t", "h")])
    models.save(kind, folder, vocab_size=own.get_vocab_size(), **changes)
    return write(folder, own, CONFIG)


def move(folder, output, **options):
    """Move a model onto a tokenizer of a few more tokens."""
    merges = [("t", "h"), ("th", "e"), ("a", "t"), ("c", "at"), ("i", "n")]
    target = write(
        output.with_name(f"{output.name}-target"), byte_level(SPECIALS, merges), CONFIG
    )
    transplant(folder, target, output, Options(**options))
    return output


def tensors(folder):
    """The bytes of every tensor of a model, by name."""
    found = Checkpoint.open(folder).tensors
    return {name: read(each) for name, each in found.items()}


def changed(before, after):
    """Names of the tensors that are not the same in two folders."""
    first, second = tensors(before), tensors(after)
    assert first.keys() == second.keys()
    assert all(first[name].dtype == second[name].dtype for name in first)
    return {name for name in first if first[name].tobytes() != second[name].tobytes()}


def new_ids(folder):
    """The ids whose rows are guesses."""
    plan = tokkit.transplant.Plan.load(folder)
    return plan.halves["input"].guesses.nonzero()[0].tolist()
