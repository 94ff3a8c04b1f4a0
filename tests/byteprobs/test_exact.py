"""Byte probabilities, against adding up all token sequences."""

import itertools
import os
import random

import numpy as np
import pytest

from tests.byteprobs.builders import Family, byte_bpe
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import RandomModel, random_model, random_row
from tests.reference.byteprobs import END, Enumerated
from tokkit.errors import ImpossibleError

SEGMENTATIONS = "renorm", "mask", "all"
EXACT = 1e-10
FEW = (
    "plain abc",
    "characters cut",
    "gpt2 words",
    "o200k cases",
    "thousands",
    "added",
    "llama",
    "sentencepiece bpe, no bytes",
    "unigram",
    "longest, twice",
)
"""Families of all kinds, where trying every one would add nothing."""


def byte_lm(model, segmentation="renorm", **settings):
    from tokkit.byteprobs import ByteLM

    # Nothing may be left out of a beam.
    return ByteLM(model, segmentation=segmentation, beam=10**6, **settings)


def enumerated(family: Family, model, segmentation: str) -> Enumerated:
    return Enumerated(family.canonical, model.row, model.ends, segmentation)


def prefixes(family: Family, length: int, count: int, seed: object = 0) -> list[bytes]:
    """Texts of a few characters, cut anywhere; the shortest, and a choice of the others."""
    texts = itertools.chain(
        *(itertools.product(family.alphabet, repeat=n) for n in range(length + 1))
    )
    whole = ["".join(text).encode() for text in texts]
    cut = dict.fromkeys(text[:end] for text in whole for end in range(len(text) + 1))
    ordered = sorted(cut, key=lambda each: (len(each), each))
    first, others = ordered[: count // 3], ordered[count // 3 :]
    chosen = random.Random(str(seed)).sample(others, min(len(others), count - len(first)))
    return first + chosen


def possible(family: Family, oracle: Enumerated, length: int, count: int) -> list[bytes]:
    """Prefixes that some text begins with."""
    found = prefixes(family, length, 3 * count)
    some = (each for each in found[1::2] + found[::2] if oracle.next(each).joint.sum() > 0)
    return list(itertools.islice(some, count))


def require_next(
    lm, family: Family, oracle: Enumerated, prefix: bytes, tolerance: float = EXACT
) -> None:
    """Compare what may come next, or that nothing may."""
    expected = oracle.next(prefix)
    if expected.joint.sum() == 0 and lm.segmentation != "all":
        # What the tokenizer would not write as it is may be read as it would write it.
        expected = oracle.next(family.normalized(prefix))
    if expected.joint.sum() == 0:
        with pytest.raises(ImpossibleError):
            lm.next_logprobs(prefix)
        return
    result = lm.next(prefix)
    found, where = result.probs, (lm.segmentation, prefix)
    worst = int(np.abs(found - expected.probs).argmax())
    assert abs(found[worst] - expected.probs[worst]) <= tolerance, (*where, worst)
    assert ((found > 0) == (expected.probs > 0)).all(), where
    logp = np.log(expected.prefix)
    assert result.logp_prefix == pytest.approx(logp, abs=100 * tolerance), where


def require_all_next(family: Family, seed: int, texts: list[bytes]) -> None:
    """Compare what may come after each text, by every definition."""
    model = random_model(family, seed)
    for segmentation in SEGMENTATIONS:
        lm, oracle = byte_lm(model, segmentation), enumerated(family, model, segmentation)
        for text in texts:
            require_next(lm, family, oracle, text)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_next_byte_equals_enumeration(name, tmp_path):
    family = FAMILIES[name](tmp_path, 11)
    require_all_next(family, 0, prefixes(family, 3, 4 if family.rich else 18, name))


@pytest.mark.skipif(not os.environ.get("TOKKIT_EXHAUSTIVE"), reason="TOKKIT_EXHAUSTIVE=1")
@pytest.mark.parametrize("seed", range(12, 16))
@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_for_more_tokenizers(name, seed, tmp_path):
    family = FAMILIES[name](tmp_path, seed)
    require_all_next(family, seed, prefixes(family, 4, 6 if family.rich else 40, seed))


@pytest.mark.parametrize("seed", range(8))
def test_next_byte_equals_enumeration_for_many_merges(seed, tmp_path):
    alphabet = random.Random(seed).choice(("a", "ab", "abc", "aé"))
    family = byte_bpe(tmp_path, seed, alphabet, count=6 + seed, longest=5)
    require_all_next(family, seed, prefixes(family, 5, 18, seed))


@pytest.mark.parametrize("name", FEW)
def test_renorm_obeys_the_chain_rule(name, tmp_path):
    family = FAMILIES[name](tmp_path, 5)
    lm = byte_lm(random_model(family))
    oracle = enumerated(family, lm.model, "renorm")
    for prefix in possible(family, oracle, 4, 4):
        logp = lm.score(prefix, end=True)
        following = np.flatnonzero(np.isfinite(lm.next_logprobs(prefix)[:END])).tolist()
        after = [lm.score(prefix + bytes([byte])).logprob for byte in following]
        after.append(logp.logprob + logp.logprob_end)
        total = np.exp(after).sum()
        assert total == pytest.approx(np.exp(logp.logprob), rel=1e-9), prefix


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
@pytest.mark.parametrize("name", FEW)
def test_scores_equal_enumeration(name, segmentation, tmp_path):
    family = FAMILIES[name](tmp_path, 6)
    lm = byte_lm(random_model(family), segmentation)
    oracle = enumerated(family, lm.model, segmentation)
    for text in possible(family, oracle, 4, 6):
        score = lm.score(text, end=True)
        expected = oracle.next(text)
        assert score.logprob == pytest.approx(np.log(expected.prefix), abs=1e-9), text
        with np.errstate(divide="ignore"):
            end = np.log(expected.probs[END])
        assert score.logprob_end == pytest.approx(end, abs=1e-9), text
        steps = [
            np.log(oracle.next(text[:place]).probs[byte]) for place, byte in enumerate(text)
        ]
        assert score.byte_logprobs == pytest.approx(np.array(steps), abs=1e-9), text
        assert score.n_bytes == len(text)
        if segmentation == "renorm":
            assert score.byte_logprobs.sum() == pytest.approx(score.logprob, abs=1e-9), text


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
@pytest.mark.parametrize("name", FEW)
def test_ways_of_asking_agree(name, segmentation, tmp_path):
    family = FAMILIES[name](tmp_path, 8)
    model = random_model(family)
    oracle = enumerated(family, model, segmentation)
    texts = possible(family, oracle, 4, 6)
    lm = byte_lm(model, segmentation)
    careful = byte_lm(random_model(family), segmentation, speculate=False)
    scores, totals = lm.score_batch(texts), [lm.score(each, total_only=True) for each in texts]
    batch = lm.next_logprobs_batch(texts)
    for text, score, total, together in zip(texts, scores, totals, batch, strict=True):
        assert total.byte_logprobs is None
        assert total.logprob == pytest.approx(score.logprob, abs=1e-10), text
        alone = lm.score(text)
        assert alone.byte_logprobs == pytest.approx(score.byte_logprobs, abs=1e-12), text
        stream, slow = lm.stream(), careful.stream()
        for place, byte in enumerate(text):
            here = stream.logprobs
            assert here == pytest.approx(slow.logprobs, abs=1e-12), text
            assert here == pytest.approx(lm.next_logprobs(text[:place]), abs=1e-12), text
            assert here[byte] == pytest.approx(score.byte_logprobs[place], abs=1e-11), text
            stream.push(byte)
            slow.push(byte)
        for found in (stream.logprobs, slow.logprobs, lm.stream(text).logprobs, together):
            assert found == pytest.approx(lm.next_logprobs(text), abs=1e-12), text
        assert stream.logp_prefix == pytest.approx(score.logprob, abs=1e-10), text


def permuted(family: Family, other: Family, size: int) -> np.ndarray:
    """The id in `other` of each id in `family`: the same token, or another unused one."""
    numbers = np.full(size, -1)
    for text, token_id in family.tokenizer.vocab.specials.items():
        numbers[token_id] = other.tokenizer.vocab.specials[text]
    for token_id, data in enumerate(family.tokens):
        if data:
            numbers[token_id] = other.tokens.index(data)
    unused = np.setdiff1d(np.arange(size), numbers)
    numbers[numbers < 0] = unused
    return numbers


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
@pytest.mark.parametrize("name", ["plain abc", "gpt2 words", "characters cut"])
def test_ids_mean_nothing(name, segmentation, tmp_path):
    family = FAMILIES[name](tmp_path, 3)
    other = FAMILIES[name](tmp_path, 3, permutation=1)
    assert sorted(family.tokens) == sorted(other.tokens)
    assert family.tokens != other.tokens
    size = len(family.tokens) + 2
    to_other = permuted(family, other, size)
    back = np.argsort(to_other)
    row = random_row(size)

    def other_row(sequence):
        return row(tuple(int(back[token]) for token in sequence))[back]

    first = byte_lm(random_model(family, padding=2), segmentation)
    model = RandomModel(other.tokenizer, other_row, size, other.start, other.ends)
    second = byte_lm(model, segmentation)
    for prefix in possible(family, enumerated(family, first.model, segmentation), 4, 12):
        assert second.next_logprobs(prefix) == pytest.approx(
            first.next_logprobs(prefix), abs=1e-12
        )
        assert second.score(prefix).logprob == pytest.approx(first.score(prefix).logprob)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [("llama", "gpt2 words"), ("llama", "unigram"), ("gpt2", "llama"), ("gpt2", "longest")],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("float64", 1e-10)])
def test_transformers_equal_enumeration(name, kind, dtype, tolerance, tmp_path):
    family = FAMILIES[name](tmp_path, 2)
    network = tiny_network(kind, len(family.tokens) + 3, dtype)
    model = as_language_model(network, family)
    for segmentation in SEGMENTATIONS:
        lm = byte_lm(model, segmentation)
        oracle = Enumerated(
            family.canonical, row_of(network, family.start), family.ends, segmentation
        )
        for prefix in possible(family, oracle, 3, 5):
            found, expected = np.exp(lm.next_logprobs(prefix)), oracle.next(prefix)
            assert np.abs(found - expected.probs).max() <= tolerance, prefix
            score = lm.score(prefix)
            logp = np.log(expected.prefix)
            assert score.logprob == pytest.approx(logp, abs=50 * tolerance), segmentation


def tiny_network(kind: str, size: int, dtype: str):
    """A network drawn at random, sure enough of itself for errors to show."""
    import torch
    import transformers

    torch.manual_seed(size)
    if kind == "llama":
        shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16}
        config = transformers.LlamaConfig(
            vocab_size=size, intermediate_size=32, num_key_value_heads=1, **shape
        )
    else:
        config = transformers.GPT2Config(vocab_size=size, n_embd=16, n_layer=2, n_head=2)
    network = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.4)
    return network.to(getattr(torch, dtype))


def row_of(network, start):
    """Its log probabilities after tokens, each sequence run by itself without a cache."""
    import torch

    def row(sequence):
        with torch.no_grad():
            ids = torch.tensor([[*start, *sequence]])
            logits = network(input_ids=ids, use_cache=False).logits[0, -1]
        return torch.log_softmax(logits.double(), -1).numpy()

    return row


def as_language_model(network, family: Family):
    from tokkit.lm.hf import HFModel

    return HFModel(network, family.tokenizer, start=family.start, ends=family.ends)
