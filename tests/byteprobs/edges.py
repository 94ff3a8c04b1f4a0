"""What tests of the hardest cases share."""

import numpy as np

from tests.byteprobs.builders import Family
from tests.byteprobs.models import RandomModel, random_model
from tests.byteprobs.test_exact import SEGMENTATIONS, byte_lm, enumerated, require_next
from tests.byteprobs.test_grammar import build_grammar

ONLY_CANONICAL = "renorm", "mask"


def require_all(family: Family, texts, segmentations=SEGMENTATIONS) -> None:
    """Compare what comes after each of some texts with enumeration."""
    model = random_model(family)
    for segmentation in segmentations:
        lm, oracle = byte_lm(model, segmentation), enumerated(family, model, segmentation)
        for text in texts:
            data = text if isinstance(text, bytes) else text.encode()
            require_next(lm, family, oracle, data)


def token_id(family: Family, data: bytes) -> int:
    return family.tokens.index(data)


def after(family: Family, *tokens: bytes) -> set[bytes]:
    """The tokens that tokkit says may follow these, all of them canonical."""
    grammar = build_grammar(family)
    sequence: tuple[int, ...] = ()
    for data in tokens:
        among = [number for number, each in enumerate(family.tokens) if each == data]
        sequence += (family.canonical.allowed(sequence, among)[0],)
    state = grammar.start
    for token in sequence:
        state = grammar.step(state, token)
        assert state >= 0, family.tokens[token]
    flags = grammar.allowed(state)
    return {data for number, data in enumerate(family.tokens) if data and flags[number]}


def model_of(family: Family, logits: dict[int, float], start=None, ends=None) -> RandomModel:
    """A model that says the same everywhere; ids that are not named get nothing."""
    row = np.full(len(family.tokens), -np.inf)
    row[list(logits)] = list(logits.values())
    row -= np.logaddexp.reduce(row)
    start, ends = start or family.start, family.ends if ends is None else ends
    return RandomModel(family.tokenizer, lambda ids: row, row.size, start, ends)
