import math
import re
from collections import Counter
from fractions import Fraction
from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import tokkit
from tokkit import Tokenizer, Vocabulary
from tokkit.analysis import counting as counting_module
from tokkit.analysis import measured as measured_module
from tokkit.analysis import tally as tally_module
from tokkit.analysis.analyze import analyze
from tokkit.analysis.encoding import Encoder
from tokkit.analysis.labelled import Labelled, read_labelled
from tokkit.analysis.words import Words
from tokkit.errors import CorpusError, UsageError
from tokkit.segment.longest import LongestMatch
from tokkit.stats import ratio_interval

BYTES = [bytes([byte]) for byte in range(256)]


def longest(*tokens):
    vocab = Vocabulary((*BYTES, *tokens))
    return Tokenizer(vocab, LongestMatch(vocab.tokens))


ONE = longest(b" the", b"the", b"12", b"ab", b"  ", "é".encode(), b"fo", b"o(")
OTHER = longest(b"a", b"b ", b" t", b"he", b"123", b"   \n")
BOTH = {"one": ONE, "other": OTHER}


def label(*texts):
    return [Labelled(text, ()) for text in texts]


def value(found, tokenizer, metric, group="all"):
    rows = found.results
    chosen = rows[
        (rows["tokenizer"] == tokenizer) & (rows["metric"] == metric) & (rows["group"] == group)
    ]
    assert len(chosen) == 1, metric
    return chosen.iloc[0]


# --- every measure, by hand -----------------------------------------------------------------


def ratio(above, below):
    return float(Fraction(above, below)) if below else math.nan


def oracle(tokenizer, base, texts):
    """Every measure, one text and one word at a time."""
    ids = [tokenizer.encode(text, parse_specials=False).tolist() for text in texts]
    counts = Counter(token for each in ids for token in each)
    tokens = [len(each) for each in ids]
    decoded = [text.decode("utf-8", "surrogateescape") for text in texts]
    words = [word for text in decoded for word in text.split()]
    size = {word: n_tokens(tokenizer, word) for word in words}
    spaced = {word: n_tokens(tokenizer, " " + word) for word in words}
    runs = [run for word in words for run in re.findall("[0-9]+", word)]
    code = [w for w in words if re.search(r"[(){}\[\];=<>_\\]|[a-z][A-Z]", w)]
    filled = [(text, n) for text, n in zip(texts, tokens, strict=True) if n]
    lines = sum(len(text.split(b"\n")) - text.endswith(b"\n") for text in texts)
    total, n_words, types = sum(tokens), len(words), set(words)
    n_bytes, characters = sum(map(len, texts)), sum(map(len, decoded))
    of_ids = tokenizer.vocab.tokens
    all_tokens = [of_ids[i] for each in ids for i in each]
    lengths = list(map(len, all_tokens))
    number_sizes = [n_tokens(tokenizer, run) for run in runs]
    ratios = sum(Fraction(len(text), n) for text, n in filled)
    found = {
        "bytes_per_token": ratio(n_bytes, total),
        "bytes_per_token_macro": ratio(ratios, len(filled)),
        "characters_per_token": ratio(characters, total),
        "characters_per_token_macro": ratio(
            sum(Fraction(len(t.decode("utf-8", "surrogateescape")), n) for t, n in filled),
            len(filled),
        ),
        "tokens_per_document": ratio(total, len(texts)),
        "tokens_per_line": ratio(total, lines),
        "fertility": ratio(total, n_words),
        "unknown_rate": ratio(0, total),
        "fragment_rate": ratio(sum(not valid(token) for token in all_tokens), total),
        "white_space_rate": ratio(
            sum(valid(token) and token.decode().isspace() for token in all_tokens), total
        ),
        "digits_per_token": ratio(sum(map(len, runs)), sum(number_sizes)),
        "whole_number_rate": ratio(number_sizes.count(1), len(runs)),
        "code_bytes_per_token": ratio(
            sum(len(word.encode("utf-8", "surrogateescape")) for word in code),
            sum(size[word] for word in code),
        ),
        "normalized_sequence_length": ratio(
            total, sum(len(base.encode(t, parse_specials=False)) for t in texts)
        ),
        "tokens": total,
        "token_types": len(counts),
        "vocabulary_utilisation": ratio(len(counts), len(tokenizer)),
        "type_token_ratio": ratio(len(counts), total),
        "mean_token_bytes": ratio(sum(lengths), total),
        "longest_token_bytes": max(lengths, default=math.nan),
    }
    for form, of in (("alone", size), ("spaced", spaced)):
        occurrences = [of[word] for word in words]
        found |= {
            f"fertility_{form}": ratio(sum(occurrences), n_words),
            f"continued_word_rate_{form}": ratio(
                sum(occurrences) - len(occurrences), sum(occurrences)
            ),
            f"word_split_rate_{form}": ratio(sum(n > 1 for n in occurrences), n_words),
            f"type_fertility_{form}": ratio(sum(of[word] for word in types), len(types)),
            f"strr_{form}": ratio(sum(of[word] == 1 for word in types), len(types)),
        }
    return found


def n_tokens(tokenizer, text):
    return len(tokenizer.encode(text.encode("utf-8", "surrogateescape"), parse_specials=False))


def valid(token):
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


TEXTS = st.lists(
    st.lists(
        st.sampled_from(
            ["the", " the", " ", "\n", "ab", "123", "12", "é", "東京", "foo(x)", "aB", "the "]
        )
    ).map(lambda parts: "".join(parts).encode())
    | st.binary(max_size=8),
    min_size=1,
    max_size=6,
).filter(any)


@settings(max_examples=15)
@given(TEXTS)
def test_every_measure_is_what_a_count_by_hand_says(texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured_module, "_DRAWS", 20)
        found = analyze(BOTH, label(*texts), base="other")
    for name, tokenizer in BOTH.items():
        for metric, expected in oracle(tokenizer, OTHER, texts).items():
            said = value(found, name, metric)["value"]
            assert said == pytest.approx(expected, nan_ok=True), (name, metric)


def test_every_measure_has_a_definition_and_is_checked():
    found = analyze(BOTH, label(b"the 12 foo(x)"), alphas=[2.5])
    metrics = set(found.results["metric"])
    assert found.results["definition"].str.len().min() > 10
    information = {
        f"renyi_2.5_efficiency_{n}" for n in ("observed", "vocabulary", "attainable")
    }
    information |= {"renyi_2.5_entropy", "percentile_frequency"}
    assert metrics == oracle(ONE, ONE, [b"a"]).keys() | information


# --- intervals ------------------------------------------------------------------------------


def test_intervals_are_those_of_documents_drawn_anew():
    random = np.random.default_rng(5)
    texts = [b"the ab 12 " * int(n) + b"x" * int(m) for n, m in random.integers(0, 9, (40, 2))]
    found = analyze({"one": ONE}, label(*texts), seed=3)
    tokens = [len(ONE.encode(text)) for text in texts]
    row = value(found, "one", "bytes_per_token")
    published = ratio_interval(list(map(len, texts)), tokens, seed=3)
    assert tuple(row[["value", "low", "high"]]) == pytest.approx(tuple(published))


def test_a_tokenizer_does_not_differ_from_itself():
    texts = label(b"the ab", b"12 12", b"foo(bar) the")
    found = analyze({"a": ONE, "b": ONE, "c": OTHER}, texts)
    same = found.differences[found.differences["second"] == "b"]
    assert (same[["difference", "low", "high"]].fillna(0) == 0).all(axis=None)
    pair = found.differences.set_index(["first", "second", "metric"])
    row = pair.loc[("a", "c", "bytes_per_token")]
    expected = (
        value(found, "c", "bytes_per_token")["value"]
        - value(found, "a", "bytes_per_token")["value"]
    )
    assert row["difference"] == pytest.approx(expected)
    assert row["low"] <= row["difference"] <= row["high"]


def test_every_measure_has_a_paired_difference_and_an_interval():
    found = analyze(BOTH, label(b"the ab 12", b"12 12 foo(", b"foo(bar) the 12"))
    drawn = found.results[~found.results["metric"].isin(["tokens", "longest_token_bytes"])]
    assert drawn["low"].notna().all()
    values = found.results.pivot(index="metric", columns="tokenizer", values="value")
    rows = found.differences.set_index("metric")
    assert set(rows.index) == set(values.index)
    expected = values["other"] - values["one"]
    assert (rows["difference"] - expected[rows.index]).abs().max() < 1e-12
    assert rows.loc[drawn["metric"].unique(), "low"].notna().all()


def test_many_documents_are_dealt_into_sets(monkeypatch):
    random = np.random.default_rng(1)
    texts = label(
        *(b"the " * int(n) + b"q" * int(m) for n, m in random.integers(1, 9, (900, 2)))
    )
    exact = analyze({"one": ONE}, texts)
    monkeypatch.setattr(tally_module, "BLOCKS", 64)
    monkeypatch.setattr(counting_module, "BATCH", 1000)
    dealt = analyze({"one": ONE}, texts)
    for metric in ("bytes_per_token", "bytes_per_token_macro", "word_split_rate_alone"):
        one, other = (value(each, "one", metric) for each in (exact, dealt))
        assert other["value"] == pytest.approx(one["value"], rel=1e-12)
        assert other["high"] - other["low"] == pytest.approx(one["high"] - one["low"], rel=0.35)
    assert exact.documents == dealt.documents == 900


# --- groups ---------------------------------------------------------------------------------


def test_a_group_is_what_its_documents_are_alone(monkeypatch):
    monkeypatch.setattr(counting_module, "BATCH", 12)
    texts = [(b"the ab", "x"), (b"12 123", "y"), (b"foo(", "x"), (b"", "y"), (b"ab ab", "y")]
    labelled = [Labelled(text, (group,)) for text, group in texts]
    found = analyze(BOTH, labelled, fields=["kind"])
    for group in ("x", "y"):
        alone = analyze(BOTH, label(*(text for text, own in texts if own == group)))
        rows = found.results[found.results["group"] == group]
        columns = ["tokenizer", "metric", "value", "low", "high", "n"]
        left = rows.reset_index(drop=True)
        assert left[columns].equals(alone.results[columns])
    assert set(found.results["group_by"]) == {"all", "kind"}


def test_too_many_groups_are_refused(monkeypatch):
    monkeypatch.setattr(counting_module, "MOST_GROUPS", 2)
    texts = [Labelled(b"a", (str(number),)) for number in range(3)]
    with pytest.raises(UsageError, match="more than 2 groups, such as id '2'"):
        analyze({"one": ONE}, texts, fields=["id"])


def test_labels_are_of_the_same_record(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "one", "language": "en", "kind": "n"}\n'
        '{"text": "two", "kind": "n"}\n'
        "\n"
        '{"text": 3, "language": "xx", "kind": "n"}\n'
        '{"text": "четыре", "language": "ru", "kind": "n"}\n',
        encoding="utf-8",
    )
    fields = ["language", "script", "file", "kind"]
    with pytest.raises(CorpusError, match=r"a\.jsonl, line 2: no column 'language'"):
        list(read_labelled([str(path)], fields))
    found = list(read_labelled([str(path)], fields, on_error="skip"))
    assert found == [
        (b"one", ("en", "Latin", str(path), "n")),
        ("четыре".encode(), ("ru", "Cyrillic", str(path), "n")),
    ]


def test_labels_need_not_be_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '\ufeff{"text": "a", "year": 2001, "ok": true}\n\n'
        '{"text": "b", "year": null, "ok": [1]}\n'
        "oops\n[]\n",
        encoding="utf-8",
    )
    found = list(read_labelled([str(path)], ["year", "ok"], on_error="skip"))
    assert found == [(b"a", ("2001", "true")), (b"b", ("null", "[1]"))]


def test_texts_have_no_fields(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n\ntwo")
    assert list(read_labelled([str(path)], ["file"])) == [
        (text, (str(path),)) for text in (b"one", b"", b"two")
    ]
    assert [each.text for each in read_labelled([str(path)], whole=True)] == [b"one\n\ntwo"]
    with pytest.raises(UsageError, match=r"plain text, without a field 'language'"):
        list(read_labelled([str(path)], ["language"]))


# --- words and tokens -----------------------------------------------------------------------


def test_words_beyond_the_most_are_left_out():
    encoder = Encoder(ONE)
    words = Words({"one": encoder}, most=3)

    def encode(texts, form):
        return {"one": encoder.count(texts)}

    assert words.add(["a", "the", "a"], encode).tolist() == [0, 1, 0]
    assert words.add(["b", "c", "the", "b"], encode).tolist() == [2, -1, 1, 2]
    assert words.add(["d", "c"], encode).tolist() == [-1, -1]
    assert words.column("one", "alone").tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    "name",
    [
        "hf/gpt2/tokenizer.json",
        "hf/llama3/tokenizer.json",
        "llama2/tokenizer.model",
        "focus_de_xlmr-unigram-50k/tokenizer.json",
    ],
)
def test_texts_end_to_end_are_what_each_is_alone(shared, name):
    tokenizer = tokkit.load(shared / "tokenizers" / name)
    encoder = Encoder(tokenizer)
    special = next(iter(tokenizer.vocab.specials))
    plain = [
        b"Hello",
        b" world  ",
        b"",
        b" 123",
        "été 東京\n".encode(),
        b"'",
        b"s",
        b"\xff\xfe",
    ]
    for texts in (plain, [*plain, f"a{special}b".encode()], []):
        ids, ends = encoder.encode(texts)
        expected = [tokenizer.encode(text, parse_specials=False).tolist() for text in texts]
        assert ids.tolist() == [token for each in expected for token in each]
        assert ends.tolist() == np.cumsum([len(each) for each in expected]).tolist()


def test_a_space_that_a_tokenizer_puts_is_not_doubled(shared):
    encoder = Encoder(tokkit.load(shared / "tokenizers" / "llama2" / "tokenizer.model"))
    assert encoder.puts_space
    assert encoder.count([b"the", b"1", b"12"]).tolist() == [1, 2, 3]
    assert encoder.count_after_space([b"the"]).tolist() == [1]
    assert encoder.count_bare([b"the", b"1", b"12", b""]).tolist() == [1, 1, 2, 0]
    gpt2 = Encoder(tokkit.load(shared / "tokenizers" / "hf" / "gpt2" / "tokenizer.json"))
    assert gpt2.count_after_space([b"the", b"1"]).tolist() == [1, 1]
    assert not gpt2.puts_space


def test_lengths_add_up_to_the_tokens():
    found = analyze(BOTH, label(b"the the 123 foo(", b"  ab"))
    for name, rows in found.token_lengths.groupby("tokenizer"):
        assert rows["tokens"].sum() == value(found, name, "tokens")["value"]
        assert rows["share"].sum() == pytest.approx(1)
        assert rows["vocabulary"].sum() == len(BOTH[name])
        assert rows["token_types"].sum() == value(found, name, "token_types")["value"]


def test_nothing_is_cut_off_where_there_is_little_room():
    names = ("a-tokenizer-with-a-name", "another-one")
    texts = [Labelled(b"the ab 12 foo(x) " * n + b"q" * n, ("kind",)) for n in (1, 2, 5)]
    found = analyze(dict(zip(names, BOTH.values(), strict=True)), texts, fields=["topic"])
    console = Console(width=80, file=StringIO(), color_system=None)
    console.print(found)
    shown = console.file.getvalue()
    for name in names:
        row = value(found, name, "percentile_frequency")  # in the last column
        half = max(row["high"] - row["value"], row["value"] - row["low"])
        digits = 3 if half < 0.0995 else 2
        assert f"{row['value']:.{digits}f} " in shown
        assert f"±{half:.{digits}f} " in shown
    assert shown.count(names[0]) == 5 + 1


# --- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [[], [b"", b""]])
def test_no_text_is_an_error(texts):
    with pytest.raises(CorpusError, match="nothing to analyze"):
        analyze({"one": ONE}, label(*texts))


def test_a_base_has_to_be_there():
    with pytest.raises(UsageError, match="the base 'x' is no tokenizer here: one, other"):
        analyze(BOTH, label(b"a"), base="x")
