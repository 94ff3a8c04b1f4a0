"""Filling gaps: which tokens the model sees, where texts join, and what tokens do instead."""

import math
from itertools import product

import numpy as np
import pytest

import tokkit
from tests.byteprobs.chains import make_tokenizer
from tokkit.byteprobs import ByteLM
from tokkit.byteprobs.fill import build_prompt, fill
from tokkit.byteprobs.healing import continue_tokens, encode_inside
from tokkit.byteprobs.results import END
from tokkit.byteprobs.sentinels import FAMILIES, Sentinels, find_sentinels
from tokkit.errors import ImpossibleError, ModelError, UsageError
from tokkit.lm.ngram import NGramModel

QWEN = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
CODELLAMA = ("▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>")


def id_of(tokenizer, name):
    return tokenizer.vocab.specials[name]


class Follows:
    """A model that gives each sequence of ids the next ones it was told, and little else."""

    def __init__(self, tokenizer, told):
        self.told = told
        self.model = NGramModel.from_function(tokenizer, self.row)

    def row(self, sequence):
        weights = self.told(sequence)
        row = np.full(self.model.vocab_size, 1e-9)
        for token, weight in weights.items():
            row[token] += weight
        return row / row.sum()


# Sentinels


@pytest.mark.parametrize("name", FAMILIES)
def test_known_spellings_are_found(name):
    family = FAMILIES[name]
    names = [each for each in (family.prefix, family.suffix, family.middle) if each]
    tokenizer = make_tokenizer(*reversed(names), "<|endoftext|>")
    found = find_sentinels(tokenizer)
    ids = [*found.prefix, *found.suffix, *found.middle]
    assert ids == [id_of(tokenizer, each) for each in names]
    assert found.ends == {id_of(tokenizer, "<|endoftext|>")}
    assert find_sentinels(make_tokenizer(*names[1:])) is None


def test_real_tokenizers(shared):
    found = find_sentinels(tokkit.load(shared / "tokenizers" / "hf" / "cl100k"))
    assert (found.prefix, found.suffix, found.middle) == ((100257,), (100259,), (100258,))
    assert found.ends == {100256}
    path = shared / "tokenizers" / "mistral" / "mistral_instruct_tokenizer_240323.model.v3"
    mistral = tokkit.load(path)
    found = find_sentinels(mistral)
    assert found.layout("auto") == ("SUF", "suffix", "PRE", "prefix")
    assert mistral.vocab.specials["[SUFFIX]"] == found.suffix[0]
    assert find_sentinels(tokkit.load(shared / "models" / "stories260k")) is None


def test_sentinels_can_be_named():
    tokenizer = make_tokenizer("<a>", "<b>", "<c>", "<d>")
    named = Sentinels.named(tokenizer, "<a>", "<b>", "<c>", ["<d>"])
    assert (named.prefix, named.suffix, named.middle) == ((258,), (259,), (260,))
    assert named.ends == {261}
    with pytest.raises(UsageError, match="no token '<x>'"):
        Sentinels.named(tokenizer, "<a>", "<x>", "<c>")
    with pytest.raises(UsageError, match="'z' is text"):
        Sentinels.named(tokenizer, "<a>", "<b>", "<c>", ["z"])


# What the model reads


def spelled(tokenizer, prompt):
    """A prompt as one string, sentinels by name."""
    ids = [each for each in prompt.context if each != id_of(tokenizer, "<s>")]
    return tokenizer.decode(ids, specials=True).decode(), prompt.text, prompt.lead


@pytest.mark.parametrize(
    ("order", "context", "text", "lead"),
    [
        ("psm", "<P>x = 1\ny<S>\nz<M>", b"", False),
        ("psm-line", "<P>x = 1\n<S>\nz<M>", b"y", False),
        ("spm", "<P><S>\nz<M>", b"x = 1\ny", True),
        ("plain", "", b"x = 1\ny", True),
    ],
)
def test_orders(order, context, text, lead):
    tokenizer = make_tokenizer(*QWEN)
    model = NGramModel(tokenizer)
    expected = (
        context.replace("<P>", QWEN[0]).replace("<S>", QWEN[1]).replace("<M>", QWEN[2]),
        text,
        lead,
    )
    prompt = build_prompt(model, b"x = 1\ny", b"\nz", order)
    assert spelled(tokenizer, prompt) == expected
    assert prompt.context[: len(model.start)] == model.start


@pytest.mark.parametrize(
    ("names", "order", "context", "text"),
    [
        (CODELLAMA, "auto", "▁<PRE>▁<SUF>s▁<MID>", b"p"),
        (CODELLAMA, "psm", "▁<PRE>p▁<SUF>s▁<MID>", b""),
        (("[PREFIX]", "[SUFFIX]"), "auto", "[SUFFIX]s[PREFIX]", b"p"),
        (
            ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"),
            "spm",
            "<[fim-suffix]>s<[fim-prefix]>p<[fim-middle]>",
            b"",
        ),
        (
            ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
            "auto",
            "<｜fim▁begin｜>p<｜fim▁hole｜>s<｜fim▁end｜>",
            b"",
        ),
    ],
)
def test_orders_of_families(names, order, context, text):
    tokenizer = make_tokenizer(*names)
    prompt = build_prompt(NGramModel(tokenizer), b"p", b"s", order)
    assert spelled(tokenizer, prompt)[:2] == (context, text)


def test_a_character_that_is_not_complete_is_never_left_before_the_gap():
    tokenizer = make_tokenizer(*QWEN)
    prompt = build_prompt(NGramModel(tokenizer), b"a\xe2\x82", b"", "psm")
    assert spelled(tokenizer, prompt)[0] == f"{QWEN[0]}a{QWEN[1]}{QWEN[2]}"
    assert prompt.text == b"\xe2\x82"


def test_sentinels_written_in_the_text_are_text():
    tokenizer = make_tokenizer(*QWEN)
    prompt = build_prompt(NGramModel(tokenizer), QWEN[2].encode(), QWEN[0].encode(), "psm")
    middle, start = id_of(tokenizer, QWEN[2]), id_of(tokenizer, QWEN[0])
    assert prompt.context.count(middle) == prompt.context.count(start) == 1


def test_orders_a_model_does_not_know():
    tokenizer = make_tokenizer("[PREFIX]", "[SUFFIX]")
    for order in ("psm", "psm-line"):
        with pytest.raises(UsageError, match="choose one of spm"):
            build_prompt(NGramModel(tokenizer), b"", b"", order)


def test_a_model_without_sentinels_says_so():
    lm = ByteLM(NGramModel(make_tokenizer()))
    with pytest.raises(ModelError, match="--sentinels"):
        fill(lm, "a", "b", max_bytes=3)
    assert fill(lm, "a", "b", order="plain", max_bytes=3).finish in ("end", "length")


def test_text_inside_another_has_no_space_before_it(shared):
    """As Code Llama encodes suffixes; the words are tokens of stories260k."""
    tokenizer = tokkit.load(shared / "models" / "stories260k")
    tokens = tokenizer.vocab.tokens
    for text in (b"", b"the cat", b" the cat", b"\nthe", b"  x", "é".encode()):
        ids = encode_inside(tokenizer, text)
        assert b"".join(tokens[each] for each in ids) == text
    assert encode_inside(tokenizer, b" cat") == tokenizer.encode("cat").tolist()


# What comes out


def test_middle_is_what_the_model_says_after_all_of_it():
    tokenizer = make_tokenizer(*CODELLAMA)
    pre, suf, mid, eot = (id_of(tokenizer, name) for name in CODELLAMA)
    start = id_of(tokenizer, "<s>")
    wanted = {
        (start, pre, *b"if x", suf, *b"y", mid): ord("="),
        (start, pre, *b"if x", suf, *b"y", mid, ord("=")): eot,
    }
    told = Follows(tokenizer, lambda sequence: {wanted.get(sequence, ord("?")): 1.0})
    result = fill(ByteLM(told.model), "if x", "y", order="psm", max_bytes=9, temperature=0)
    assert (result.text, result.finish) == ("=", "end")
    assert result.usage.tokens >= 9 + 1


def exhaustive(model, context, text, ends, tokens, reach):
    """P(text begins so) for every continuation of `text` by `reach` bytes, renormalised.

    Over all canonical sequences: pair merges of these tests make a sequence canonical if and
    only if the tokenizer gives it back.
    """
    tokenizer = model.tokenizer
    masses = {}

    def walk(ids, spelled, p):
        if len(spelled) >= len(text) + reach:
            masses.setdefault(spelled[: len(text) + reach], []).append(p)
            return
        row = np.exp(model.evaluate([model.tree([*context, *ids])])[0][0])
        allowed = {}
        for token in tokens:
            longer = spelled + tokenizer.vocab.tokens[token]
            again = tokenizer.encode(longer, parse_specials=False).tolist()
            if again == [*ids, token]:
                allowed[token] = row[token]
        total = sum(allowed.values()) + sum(row[each] for each in ends)
        for token, share in allowed.items():
            longer = spelled + tokenizer.vocab.tokens[token]
            if longer[: len(text)] == text[: len(longer)]:
                walk([*ids, token], longer, p * share / total)

    walk([], b"", 1.0)
    return {text: sum(parts) for text, parts in masses.items()}


def test_spm_joins_prefix_and_middle_across_the_seam():
    """A prefix that stops inside a token, against all canonical sequences written out."""
    merges = [(b"a", b"b"), (b"ab", b"c"), (b"b", b"c")]
    tokenizer = make_tokenizer(*QWEN, merges=merges)
    letters = [*b"abc", 256, 257, 258]
    rng = np.random.default_rng(5)
    rows = {}

    def row(sequence):
        """Random rows over the letters, their merges and the end, one for each last id."""
        if sequence[-1] not in rows:
            weights = np.zeros(model.vocab_size)
            places = [*letters, *model.ends]
            weights[places] = rng.random(len(places)) + 0.05
            rows[sequence[-1]] = weights / weights.sum()
        return rows[sequence[-1]]

    model = NGramModel.from_function(tokenizer, row)
    prompt = build_prompt(model, b"ca", b"b", "spm")
    expected = exhaustive(model, prompt.context, b"ca", prompt.ends, letters, reach=1)
    stream = ByteLM(model).stream(prompt.text, context=prompt.context, ends=prompt.ends)
    # The rest of what the prefix has is that the text ends after it.
    for byte in b"abc":
        p = math.exp(stream.logp_prefix + stream.logprobs[byte])
        assert p == pytest.approx(expected.get(b"ca" + bytes([byte]), 0), abs=1e-12)
    # Token by token "a" would be written first: "b" can then not follow, only "ab" has it.
    assert expected[b"cab"] > 0
    greedy = fill(ByteLM(model), "ca", "b", order="spm", max_bytes=1, temperature=0)
    best = max((expected.get(b"ca" + bytes([byte]), 0), byte) for byte in b"abc")
    ending = math.exp(stream.logp_prefix + stream.logprobs[END])
    assert greedy.data == (bytes([best[1]]) if best[0] > ending else b"")


def test_a_line_moved_into_the_middle_conditions_it():
    """P(middle | it begins with "f") of a model that knows two middles."""
    tokenizer = make_tokenizer(*QWEN)
    middle = id_of(tokenizer, QWEN[2])
    finish = id_of(tokenizer, "</s>")

    def told(sequence):
        if middle not in sequence:
            return {finish: 1.0}
        after = bytes(sequence[sequence.index(middle) + 1 :])
        texts = {b"for": 0.3, b"fun": 0.1, b"if": 0.6}
        fitting = {t: p for t, p in texts.items() if t.startswith(after)}
        return {
            key: sum(p for t, p in fitting.items() if [*t, finish][len(after)] == key)
            for key in {[*t, finish][len(after)] for t in fitting}
        } or {finish: 1.0}

    lm = ByteLM(Follows(tokenizer, told).model)
    result = fill(lm, "x\nf", "", order="psm-line", max_bytes=9, temperature=0)
    assert (result.text, result.finish) == ("or", "end")
    assert result.logprob == pytest.approx(math.log(0.75), abs=1e-3)


# Baselines


def words():
    """`` the`` is one token, `` t`` two: the bias at its plainest."""
    merges = [(b"t", b"h"), (b"th", b"e"), (b" ", b"the")]
    tokenizer = make_tokenizer(*QWEN, merges=merges)
    the, finish = 258, id_of(tokenizer, "</s>")

    def told(sequence):
        if sequence[-1] == ord("d"):
            return {the: 0.8, ord(" "): 0.2}
        return {finish: 1.0} if sequence[-1] == the else {ord("x"): 0.9, finish: 0.1}

    return Follows(tokenizer, told)


def test_plain_tokens_are_biased_and_healing_and_bytes_are_not():
    lm = ByteLM(words().model)
    options = {"order": "plain", "max_bytes": 6, "temperature": 0}
    assert fill(lm, "and ", "", baseline="plain", **options).text == "xxxxxx"
    healed = fill(lm, "and ", "", baseline="token-healing", **options)
    assert (healed.text, healed.finish) == ("the", "end")
    assert healed.logprob == pytest.approx(math.log(0.8), abs=1e-3)
    assert fill(lm, "and ", "", **options).text == "the"


def test_healing_gives_back_what_it_took_away():
    """Two tokens taken away, and a model that writes them one by one or together."""
    merges = [(b"t", b"h"), (b"th", b"e"), (b" ", b"the")]
    tokenizer = make_tokenizer(merges=merges)
    model = Follows(tokenizer, lambda sequence: {ord("t"): 0.4, 257: 0.5, 258: 1.0}).model
    for backup, expected in ((0, b" the the "), (1, b"he the th"), (2, b"he the th")):
        options = {"backup": backup, "max_bytes": 9}
        greedy = continue_tokens(model, model.start, b"at", temperature=0, **options)
        assert (greedy.data, greedy.finish) == (expected, "length")
        longest = continue_tokens(model, model.start, b"at", seed=backup, **options)
        assert len(longest.data) <= 9
    # More than there is: all of it is written anew.
    anew = continue_tokens(model, model.start, b"at", temperature=0, backup=99, max_bytes=9)
    assert anew.data == b"he the th"


def test_healing_needs_a_token_for_what_it_took_away():
    model = NGramModel(make_tokenizer())
    with pytest.raises(ImpossibleError, match="no token"):
        continue_tokens(model, model.start, b"a", ends={97}, backup=1, max_bytes=1)


def test_tokens_after_a_known_model_have_its_probability():
    tokenizer = make_tokenizer(merges=[(b"a", b"b")])
    model = NGramModel.fit(tokenizer, ["abab", "ba"], order=2)
    result = continue_tokens(model, model.start, b"b", max_bytes=8, seed=4, top_k=4)
    ids = tokenizer.encode(b"b" + result.data).tolist()
    if result.finish == "end":
        ids += model.ends
    total = 0.0
    for place in range(1, len(ids)):
        total += model.next_logprobs([ids[:place]])[0][ids[place]]
    assert result.logprob == pytest.approx(total)


def test_tokens_as_often_as_the_model_says():
    """Inverse distribution function over ids: 3 outcomes, 2000 draws."""
    tokenizer = make_tokenizer()
    finish = id_of(tokenizer, "</s>")
    told = Follows(tokenizer, lambda sequence: {97: 0.5, 98: 0.3, finish: 0.2})
    model = told.model
    drawn = [
        continue_tokens(model, model.start, b"", max_bytes=1, seed=seed).data
        for seed in range(2000)
    ]
    expected = {b"a": 1000, b"b": 600, b"": 400}
    chi2 = sum((drawn.count(data) - n) ** 2 / n for data, n in expected.items())
    # 2 degrees of freedom: the 99.9th percentile is 13.8.
    assert chi2 < 13.8


def test_tokens_stop_at_strings_limits_and_the_context():
    tokenizer = make_tokenizer(merges=[(b"a", b"b"), (b"ab", b"c")])
    model = Follows(tokenizer, lambda sequence: {257: 1.0}).model

    def write(**options):
        options = {"max_bytes": 9, "temperature": 0} | options
        result = continue_tokens(model, model.start, b"x", **options)
        return result.text, result.finish

    assert write() == ("abcabcabc", "length")
    assert write(max_bytes=5) == ("abcab", "length")
    assert write(stop=["ca"]) == ("ab", "stop")
    assert write(stop=["ca", "bca", "b"]) == ("a", "stop")
    assert write(stop=["ca"], max_bytes=2) == ("ab", "length")
    model.context = 4
    assert write() == ("abcabcabc", "length")
    model.context = 3
    assert write() == ("abcabc", "length")


@pytest.fixture(scope="module")
def stories(shared):
    """A model with a real tokenizer that puts a space before texts."""
    tokenizer = tokkit.load(shared / "models" / "stories260k")
    documents = ["the cat sat", "the dog sat on the cat"]
    return ByteLM(NGramModel.fit(tokenizer, documents, order=3, smoothing=0.01))


@pytest.mark.parametrize("baseline", [None, "plain", "token-healing"])
@pytest.mark.parametrize("order", ["psm", "spm", "plain"])
def test_all_ways_to_fill_with_a_first_space(stories, baseline, order):
    sentinels = Sentinels.named(stories.model.tokenizer, "<unk>", "<s>", "</s>")
    for prefix, suffix in product(["", "the", "the ca", "the dog s"], ["", " cat"]):
        how = {"order": order, "sentinels": sentinels, "baseline": baseline}
        result = fill(stories, prefix, suffix, max_bytes=6, seed=1, **how)
        assert len(result.data) <= 6
        assert result == fill(stories, prefix, suffix, max_bytes=6, seed=1, **how)


def test_the_first_space_is_never_seen(stories):
    options = {"order": "plain", "max_bytes": 12, "temperature": 0}
    for baseline in (None, "plain", "token-healing"):
        assert fill(stories, "", "", baseline=baseline, **options).text.startswith("the ")
    assert fill(stories, "the do", "", **options).text.startswith("g sat")
