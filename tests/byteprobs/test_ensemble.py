"""Ensembles against sums and products written out by hand over Markov chains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.byteprobs.chains import Chain, fixed, letters, make_tokenizer
from tokkit.byteprobs import ByteLM
from tokkit.byteprobs.ensemble import Ensemble, ProxyTuning
from tokkit.byteprobs.results import END
from tokkit.errors import ImpossibleError, UsageError
from tokkit.lm.ngram import NGramModel

A, B, C = b"abc"


def chain_of(probs):
    """A chain without memory."""
    row = {each: p for each, p in zip([A, B, C, END], probs, strict=True) if p}
    return Chain({last: row for last in (None, A, B, C)})


def row(source, prefix=b""):
    """The next distribution as a dictionary of what is possible."""
    probs = np.exp(source.stream(prefix).logprobs)
    return {int(each): probs[each] for each in np.flatnonzero(probs)}


def normalised(weights):
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items() if weight}


distributions = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any)


def as_probs(counts):
    return [count / sum(counts) for count in counts]


@given(st.lists(st.tuples(distributions, st.integers(1, 5)), min_size=1, max_size=4))
def test_mixture_is_the_weighted_mean(members):
    chains = [chain_of(as_probs(counts)) for counts, _ in members]
    weights = [weight for _, weight in members]
    expected = normalised(
        {
            each: sum(w * chain_of(as_probs(p)).rows[None].get(each, 0) for p, w in members)
            for each in (A, B, C, END)
        }
    )
    assert row(Ensemble(chains, weights=weights)) == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.tuples(distributions, st.integers(1, 5)), min_size=1, max_size=4))
def test_product_is_the_weighted_geometric_mean(members):
    chains = [chain_of(as_probs(counts)) for counts, _ in members]
    weights = [weight / sum(w for _, w in members) for _, weight in members]
    pairs = list(zip(weights, chains, strict=True))
    expected = {
        each: math.prod(chain.rows[None].get(each, 0) ** w for w, chain in pairs)
        for each in (A, B, C, END)
    }
    ensemble = Ensemble(chains, mix="product", weights=weights)
    if any(expected.values()):
        assert row(ensemble) == pytest.approx(normalised(expected), rel=1e-10)
    else:
        with pytest.raises(ImpossibleError, match="has to agree"):
            row(ensemble)


@pytest.mark.parametrize("mix", ["mixture", "product"])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_a_model_with_itself_is_itself(mix, n):
    chain = letters("abcdef", end=0.07)
    stream, alone = Ensemble([chain] * n, mix=mix).stream(b"ab"), chain.stream(b"ab")
    for byte in b"cafe":
        with np.errstate(invalid="ignore"):
            difference = np.abs(stream.logprobs - alone.logprobs)
        assert np.nanmax(difference) < 1e-12
        assert (np.isneginf(stream.logprobs) == np.isneginf(alone.logprobs)).all()
        stream.push(byte)
        alone.push(byte)
    assert stream.logp_prefix == pytest.approx(alone.logp_prefix, abs=1e-12)


def test_weights_stay_the_same_however_well_a_member_did():
    """After a text that the first model finds likely and the second not."""
    sure, unsure = chain_of([0.98, 0.01, 0.01, 0]), chain_of([0.01, 0.01, 0.98, 0])
    ensemble = Ensemble([sure, unsure])
    assert row(ensemble, b"aaaaaaaa") == pytest.approx({A: 0.495, B: 0.01, C: 0.495})


def test_a_member_for_which_the_text_is_impossible_drops_out():
    first, second = chain_of([0.5, 0.5, 0, 0]), chain_of([0.2, 0, 0.6, 0.2])
    ensemble = Ensemble([first, second], weights=[3, 1])
    assert row(ensemble) == pytest.approx({A: 0.425, B: 0.375, C: 0.15, END: 0.05})
    # Only the first can say "b", only the second can say "c"; it stays so.
    for text, left in ((b"ab", first), (b"ac", second), (b"aba", first)):
        assert row(ensemble, text) == pytest.approx(left.rows[None])
        stepped = ensemble.stream()
        for byte in text:
            stepped.push(byte)
        assert np.exp(stepped.logprobs) == pytest.approx(left.distribution(None))
    with pytest.raises(ImpossibleError, match="0x63"):
        ensemble.stream(b"ab").push(C)
    with pytest.raises(ImpossibleError, match="begins with b'abc'"):
        ensemble.stream(b"abc")


def test_a_product_needs_every_member():
    first, second = chain_of([0.5, 0.5, 0, 0]), chain_of([0.2, 0, 0.6, 0.2])
    ensemble = Ensemble([first, second], mix="product")
    assert row(ensemble) == {A: 1.0}
    with pytest.raises(ImpossibleError, match="0x62"):
        ensemble.stream(b"a").push(B)
    with pytest.raises(ImpossibleError, match="begins with b'ab'"):
        ensemble.stream(b"ab")


@pytest.mark.parametrize("mix", ["mixture", "product"])
def test_texts_and_their_prefixes_add_up(mix):
    """The chain rule: all continuations of a text have its probability together."""
    ensemble = Ensemble([letters("ab", 0.2), letters("ba", 0.4)], mix=mix)
    total = 0.0
    for text in (b"", b"a", b"b", b"aa", b"ab", b"ba", b"bb"):
        score = ensemble.score(text)
        total += math.exp(score.logprob_end + score.logprob)
        if len(text) == 2:
            stream = ensemble.stream(text)
            total += math.exp(stream.logp_prefix) * (1 - math.exp(stream.logprobs[END]))
    assert total == pytest.approx(1, abs=1e-12)


def test_logp_prefix_does_not_depend_on_where_the_stream_began():
    ensemble = Ensemble([letters("abc", 0.1), letters("cab", 0.3)])
    score = ensemble.score("abcab")
    for size in range(6):
        stream = ensemble.stream(b"abcab"[:size])
        for byte in b"abcab"[size:]:
            stream.push(byte)
        assert stream.logp_prefix == pytest.approx(score.logprob, abs=1e-12)
    assert score.byte_logprobs.sum() == pytest.approx(score.logprob)


def test_score_of_a_mixture_by_hand():
    first, second = chain_of([0.5, 0.25, 0, 0.25]), chain_of([0.1, 0.3, 0.2, 0.4])
    score = Ensemble([first, second], weights=[1, 3]).score(b"ab")
    a, b = 0.25 * 0.5 + 0.75 * 0.1, 0.25 * 0.25 + 0.75 * 0.3
    assert np.exp(score.byte_logprobs) == pytest.approx([a, b])
    assert score.logprob == pytest.approx(math.log(a * b))
    assert score.logprob_end == pytest.approx(math.log(0.25 * 0.25 + 0.75 * 0.4))
    assert score.bits_per_byte == pytest.approx(-math.log2(a * b) / 2)
    assert score.as_json()["bits_per_byte"] == score.bits_per_byte
    assert score.usage.calls == 6
    empty = Ensemble([first, second]).score(b"")
    assert (empty.logprob, empty.as_json()["bits_per_byte"]) == (0, None)


def test_sampling_goes_through_the_ensemble():
    result = Ensemble([fixed("abcd"), fixed("abxy")], weights=[2, 1]).sample(
        "a", max_bytes=9, temperature=0
    )
    assert (result.text, result.finish) == ("bcd", "end")
    assert result.logprob == pytest.approx(math.log(2 / 3))
    assert result.usage.calls == 2 + 2 + 1 + 1


def test_a_member_of_weight_zero_is_not_asked():
    idle = chain_of([0, 0, 1, 0])
    ensemble = Ensemble([chain_of([1, 0, 0, 0]), idle], mix="product", weights=[1, 0])
    assert row(ensemble) == {A: 1.0}
    assert idle.usage.calls == 0


def test_models_of_different_vocabularies_by_their_own_bytes():
    """Token models whose tokens end in different places, each asked by itself."""
    texts = ["the cat sat", "that hat", "the hat"]
    merges = [[(b"t", b"h"), (b"th", b"e")], [(b"h", b"a"), (b"ha", b"t"), (b"e", b" ")]]
    models = [
        ByteLM(NGramModel.fit(make_tokenizer(merges=own), texts, order=2)) for own in merges
    ]
    stream = Ensemble(models, weights=[1, 3]).stream(b"t")
    for size, byte in enumerate(b"he hat", 1):
        rows = [np.exp(model.next_logprobs(b"the hat"[:size])) for model in models]
        assert np.exp(stream.logprobs) == pytest.approx(0.25 * rows[0] + 0.75 * rows[1])
        stream.push(byte)
    alone = models[0].score(b"the hat", end=True)
    twice = Ensemble([models[0]] * 2, mix="product").score(b"the hat")
    assert twice.logprob == pytest.approx(alone.logprob, abs=1e-12)
    assert twice.byte_logprobs == pytest.approx(alone.byte_logprobs, abs=1e-12)


# Proxy tuning


def test_proxy_tuning_by_hand():
    base, expert, anti = [0.4, 0.3, 0.2, 0.1], [0.1, 0.6, 0.2, 0.1], [0.4, 0.2, 0.2, 0.2]
    tuned = ProxyTuning(*map(chain_of, (base, expert, anti)), alpha=0.5)
    expected = normalised(
        {
            each: b * math.sqrt(e / a)
            for each, b, e, a in zip([A, B, C, END], base, expert, anti, strict=True)
        }
    )
    assert row(tuned) == pytest.approx(expected)
    assert row(ProxyTuning(*map(chain_of, (base, expert, anti)), alpha=0)) == pytest.approx(
        normalised(dict(zip([A, B, C, END], base, strict=True)))
    )


def test_proxy_tuning_by_the_same_model_twice_changes_nothing():
    base, other = letters("abc", 0.1), letters("cba", 0.2)
    tuned, alone = ProxyTuning(base, other, other, alpha=3).stream(b"ca"), base.stream(b"ca")
    with np.errstate(invalid="ignore"):
        assert np.nanmax(np.abs(tuned.logprobs - alone.logprobs)) < 1e-12


def test_proxy_tuning_can_do_exactly_what_base_can():
    base, expert, anti = chain_of([0.4, 0.4, 0.2, 0]), [0, 0.5, 0.4, 0.1], [0.5, 0, 0.2, 0.3]
    tuned = ProxyTuning(base, chain_of(expert), chain_of(anti))
    # The expert has no "a" and the anti-expert no "b": these keep 0.4; "c" is doubled.
    assert row(tuned) == pytest.approx({A: 1 / 3, B: 1 / 3, C: 1 / 3})
    for text in (b"a", b"b", b"cab"):
        assert row(tuned, text) == pytest.approx({A: 0.4, B: 0.4, C: 0.2})
        stepped = tuned.stream()
        for byte in text:
            stepped.push(byte)
        assert np.exp(stepped.logprobs) == pytest.approx(base.distribution(None))
    with pytest.raises(ImpossibleError):
        ProxyTuning(fixed("abc"), chain_of(expert), chain_of(anti)).stream(b"b")


def test_proxy_tuning_asks_base_alone_once_the_others_cannot_say():
    base, expert, anti = chain_of([0.5, 0.5, 0, 0]), fixed("bc"), chain_of([0.5, 0.5, 0, 0])
    stream = ProxyTuning(base, expert, anti).stream(b"a")
    asked = expert.usage.calls, anti.usage.calls
    stream.push(A)
    assert np.exp(stream.logprobs[A]) == pytest.approx(0.5)
    assert (expert.usage.calls, anti.usage.calls) == asked


# Arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1]}, "2 models and 1 weights"),
        ({"weights": [1, -1]}, "ProxyTuning"),
        ({"weights": [1, -1], "mix": "product"}, "ProxyTuning"),
        ({"weights": [0, 0]}, "more than 0"),
        ({"weights": [1, math.nan]}, "0 or more"),
        ({"weights": [1, math.inf]}, "0 or more"),
        ({"mix": "sum"}, "mix is 'sum'"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Ensemble([letters(), letters()], **options)


def test_an_ensemble_of_none_is_refused():
    with pytest.raises(UsageError, match="at least one"):
        Ensemble([])
    with pytest.raises(UsageError, match="alpha is nan"):
        ProxyTuning(letters(), letters(), letters(), alpha=math.nan)


@pytest.mark.parametrize("mix", ["mixture", "product"])
@pytest.mark.parametrize("segmentation", ["renorm", "mask", "all"])
@pytest.mark.parametrize("context", [None, 9])
def test_a_score_is_that_of_stepping_with_fewer_calls(mix, segmentation, context):
    text = b"abcabacbacbabcbc" * 2
    members = []
    for merges in ((), ((b"a", b"b"), (b"ab", b"c"))):
        model = NGramModel.fit(
            make_tokenizer(merges=merges), [b"abcab", b"acb", b"cba"], order=3
        )
        model.context = context
        members.append(ByteLM(model, segmentation, beam=4 if segmentation == "all" else None))
    ensemble = Ensemble(members, mix=mix, weights=[2, 1])
    stream, expected, before = ensemble.stream(), [], ensemble.usage
    for byte in text:
        expected.append(stream.logprobs[byte])
        stream.push(byte)
    end = stream.logprobs[END]
    stepping = ensemble.usage.since(before)
    score = ensemble.score(text)
    assert score.byte_logprobs == pytest.approx(expected, abs=1e-9)
    assert score.logprob_end == pytest.approx(end, abs=1e-9)
    if segmentation != "all":
        assert score.usage.calls == 2 if context is None else score.usage.calls < stepping.calls
