import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transplant.models import build
from tests.transplant.small import tokenizer
from tokkit.errors import CorpusError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.lm.score import Scores  # noqa: E402
from tokkit.transplant.running.drawing import draw  # noqa: E402
from tokkit.transplant.running.evaluate import ALL, KNOWN, NEW, evaluate  # noqa: E402
from tokkit.transplant.running.stretches import divide  # noqa: E402

OLD = tokenizer(b"the", b" c", b"at", b"in")
TARGET = tokenizer(b"th", b"the c", b"at", b" in")
TEXTS = [b"the cat in the hat ", b"at the inn, then ", b"that cat"]


def model(own, seed=0):
    torch_model = build("llama", seed=seed, vocab_size=len(own), bos_token_id=None)
    return HFModel(torch_model, own, name=f"model {seed}", start=[own.vocab.specials["<s>"]])


@pytest.fixture(scope="module")
def models():
    return model(OLD), model(TARGET, seed=1)


def slow_nats(own, text):
    """The cost of one text, one position after the other."""
    ids = own.tokenizer.encode(text).tolist()
    nats = 0.0
    for place, token in enumerate(ids):
        prefix = torch.tensor([[*own.start, *ids[:place]]])
        with torch.no_grad():
            logits = own.model(prefix, use_cache=False).logits[0, -1].double()
        nats -= float(torch.log_softmax(logits, 0)[token])
    return nats


def known_ids():
    return [i for i, token in enumerate(TARGET.vocab.tokens) if token in OLD.vocab.ids]


def test_bits_per_byte_are_those_of_a_slow_loop(models):
    found = evaluate(*models, {"a": TEXTS[:2], "b": TEXTS[2:]}, known_ids())
    rows = {row.name: row for row in found.slices}
    assert list(rows) == ["a", "b", ALL, KNOWN, NEW]
    for name, texts in (("a", TEXTS[:2]), ("b", TEXTS[2:]), (ALL, TEXTS)):
        size = sum(map(len, texts))
        before, after = (sum(slow_nats(own, text) for text in texts) for own in models)
        assert rows[name].bytes == size
        assert rows[name].before == pytest.approx(before / np.log(2) / size, rel=1e-5)
        assert rows[name].after == pytest.approx(after / np.log(2) / size, rel=1e-5)
        assert rows[name].ratio.value == pytest.approx(after / before, rel=1e-5)
    assert rows[KNOWN].bytes + rows[NEW].bytes == rows[ALL].bytes
    assert found.ratio == rows[ALL].ratio


def test_a_model_is_as_good_as_itself(models):
    found = evaluate(models[0], models[0], {"a": TEXTS}, range(len(OLD)))
    assert {row.name for row in found.slices} == {"a", ALL, KNOWN}
    assert all(row.ratio == (1, 1, 1) for row in found.slices)


def test_results_show_themselves(models):
    found = evaluate(*models, {"a": TEXTS[:1]}, known_ids())
    content = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert content["slices"][0]["low"] is None
    assert list(found.frame()["slice"]) == [row.name for row in found.slices]
    assert found.__rich__().row_count == len(found.slices)


def test_long_texts_are_cut_to_fit_the_context(models):
    long = b" ".join(TEXTS) * 40
    found = evaluate(*models, {"a": [long], "b": TEXTS}, known_ids())
    assert [row.bytes for row in found.slices[:2]] == [len(long), sum(map(len, TEXTS))]


def test_no_text_is_an_error(models):
    with pytest.raises(CorpusError, match="no text"):
        evaluate(*models, {"a": []}, known_ids())


def scores(own, texts):
    """Costs that tell tokens apart: powers of two."""
    encoded = own.encode_batch(texts)
    ids = np.concatenate(encoded)
    nats = 2.0 ** (np.arange(len(ids)) % 50)
    sums = [part.sum() for part in np.split(nats, np.cumsum([len(e) for e in encoded])[:-1])]
    sizes = np.array([len(text) for text in texts])
    return Scores(np.array(sums), np.array([len(e) for e in encoded]), sizes, ids, nats, 0)


@given(st.lists(st.text("thecain ,é", min_size=1, max_size=12), min_size=1, max_size=5))
def test_stretches_are_what_lies_between_common_borders(texts):
    texts = [text.encode() for text in texts]
    both = scores(OLD, texts), scores(TARGET, texts)
    is_new = np.array([token not in OLD.vocab.ids for token in TARGET.vocab.tokens])
    found = divide(both, (OLD, TARGET), is_new)
    expected = []
    for number, text in enumerate(texts):
        cuts = []
        for own in (OLD, TARGET):
            ends = np.cumsum([len(own.vocab.tokens[i]) for i in own.encode(text)])
            cuts.append(dict(zip(ends.tolist(), own.encode(text).tolist(), strict=True)))
        common = sorted(set(cuts[0]) & set(cuts[1]))
        for start, end in zip([0, *common], common, strict=False):
            ours = [[t for e, t in cut.items() if start < e <= end] for cut in cuts]
            news = any(TARGET.vocab.tokens[t] not in OLD.vocab.ids for t in ours[1])
            expected.append((number, end - start, len(ours[0]), len(ours[1]), news))
    columns = found.segments, found.sizes, *found.tokens, found.has_new
    assert [*zip(*(each.tolist() for each in columns), strict=True)] == expected
    np.testing.assert_array_equal(found.nats.sum(1), [each.nats.sum() for each in both])


def test_a_space_before_texts_belongs_to_the_first_stretch():
    text = b"a cat"
    other = scores(OLD, [text])
    spaced = scores(OLD, [b" " + text])
    spaced = Scores(spaced.nats, spaced.tokens, other.sizes, spaced.ids, spaced.token_nats, 1)
    found = divide((other, spaced), (OLD, OLD), np.zeros(len(OLD), dtype=bool))
    assert found.sizes.sum() == len(text)
    assert found.tokens[1, 0] == 2


def test_what_is_rewritten_otherwise_is_one_stretch():
    own, less = scores(OLD, [b"at the inn", b"in"]), scores(OLD, [b"at inn", b"in"])
    less = Scores(less.nats, less.tokens, own.sizes, less.ids, less.token_nats, 1)
    found = divide((own, less), (OLD, OLD), np.zeros(len(OLD), dtype=bool))
    assert found.sizes.tolist() == [10, 2]


def test_drawing_takes_what_the_seed_says_up_to_the_limit():
    documents = [bytes([97 + i]) * 700 for i in range(20)]
    some = draw(iter(documents), 3000, seed=1, size=100)
    assert 3000 <= sum(map(len, some.segments)) < 3100
    letters = dict.fromkeys(part[:1] for part in some.segments)
    assert [list(letters).index(part[:1]) for part in some.segments] == some.owners.tolist()
    again = draw(iter(documents), 3000, seed=1, size=100)
    assert again.segments == some.segments
    assert draw(documents, 3000, seed=2, size=100).segments != some.segments
    assert b"".join(draw(documents, 10**9).segments) == b"".join(documents)


def test_distant_parts_of_a_document_count_as_several():
    found = draw([b"x" * 100 * 130, b"y"], 10**9, size=100)
    assert np.bincount(found.owners).tolist() == [64, 64, 2, 1]
