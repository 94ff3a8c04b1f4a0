import io
import json

import numpy as np
import pytest
import tiktoken
from rich.console import Console

import tokkit
from tokkit import Tokenizer, Vocabulary
from tokkit.analysis.groups import families, read_groups
from tokkit.analysis.inequality import gini
from tokkit.analysis.parallel import Parallel, read_parallel
from tokkit.analysis.parity import parity
from tokkit.errors import CorpusError, UsageError
from tokkit.prices import Price
from tokkit.segment.longest import LongestMatch
from tokkit.stats import ratio_interval

BYTES = [bytes([byte]) for byte in range(256)]


def longest(*tokens, unknown=None):
    vocab = Vocabulary((*(BYTES if unknown is None else (b"",)), *tokens))
    return Tokenizer(vocab, LongestMatch(vocab.tokens, unknown))


TEXTS = Parallel(
    {
        "en": [b"the cat", b"a"],
        "de": [b"die Katze", b"eine"],
        "el": ["η γάτα".encode(), "μια".encode()],
    }
)


def rows_of(frame, tokenizer="plain"):
    return frame[frame["tokenizer"] == tokenizer].set_index("language").to_dict("index")


def test_what_can_be_counted_by_hand():
    found = parity({"plain": longest(b"the ", b"cat", b"Katze")}, TEXTS, window=30)
    rows = rows_of(found.languages)
    # the |cat, a; d|i|e| |Katze, e|i|n|e; bytes of Greek, two for each letter.
    assert [rows[each]["tokens"] for each in ("en", "de", "el")] == [3, 9, 17]
    assert [rows[each]["premium"] for each in ("en", "de", "el")] == [1, 3, 17 / 3]
    assert rows["de"]["premium_mean_of_ratios"] == (5 / 2 + 4 / 1) / 2
    assert rows["el"]["premium_mean_of_ratios"] == (11 / 2 + 6 / 1) / 2
    assert rows["de"]["bytes_per_token"] == 13 / 9
    assert rows["el"]["tokens_per_byte"] == 1
    assert rows["el"]["characters"] == 9
    assert rows["de"]["words_per_window"] == pytest.approx(30 * 3 / 9)
    assert rows["de"]["pivot_words_per_window"] == pytest.approx(30 * 3 / 9)
    assert rows["el"]["pivot_words_per_window"] == pytest.approx(30 * 3 / 17)
    assert {each: row["script"] for each, row in rows.items()} == {
        "en": "Latin",
        "de": "Latin",
        "el": "Greek",
    }
    summary = found.summaries.iloc[0]
    assert (summary["highest_language"], summary["lowest_language"]) == ("el", "en")
    assert summary["highest_by_lowest"] == 17 / 3
    assert summary["median_premium"] == 3
    assert summary["mean_premium"] == pytest.approx((1 + 3 + 17 / 3) / 3)
    # Σ|cᵢ - cⱼ| = 2 (6 + 14 + 8) over 2 · 9 · 29/3.
    assert summary["gini_tokens_per_line"] == pytest.approx(56 / 174)
    assert summary["gini_tokens_per_byte"] == pytest.approx(gini([3 / 8, 9 / 13, 1]))


def test_lorenz_curves_begin_with_the_cheapest():
    found = parity({"plain": longest()}, TEXTS)
    lines = found.lorenz[found.lorenz["measure"] == "tokens_per_line"]
    assert lines["language"].tolist()[1:] == ["en", "de", "el"]
    assert lines["share_of_tokens"].tolist() == pytest.approx([0, 8 / 38, 21 / 38, 1])
    assert lines["share_of_languages"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_languages_lost_to_unknown_tokens_are_flagged_and_not_summed_up():
    latin = longest(*(bytes([byte]) for byte in range(1, 128)), unknown=0)
    texts = {**TEXTS.texts, "cs": [b"ta kocka to je ona", "hodná kočka".encode()]}
    found = parity({"plain": latin}, Parallel(texts), pivot="en")
    rows = rows_of(found.languages)
    assert rows["el"]["unknown_share"] == pytest.approx(16 / 17)
    assert rows["cs"]["unknown_share"] == pytest.approx(4 / 31)
    assert [each for each, row in rows.items() if row["flagged"]] == ["el", "cs"]
    assert found.summaries.iloc[0]["languages"] == 2
    assert found.summaries.iloc[0]["highest_language"] == "de"
    assert "Greek" not in found.by_group["group"].tolist()
    assert set(found.lorenz["language"].dropna()) == {"en", "de"}


def test_nothing_can_be_summed_up_if_every_language_is_lost():
    found = parity({"plain": longest(b"e", unknown=0)}, TEXTS)
    assert found.languages["flagged"].all()
    summary = found.as_json()["summaries"][0]
    assert (summary["languages"], summary["flagged"]) == (0, 3)
    assert summary["highest_language"] is None
    assert summary["gini_tokens_per_line"] is None
    assert found.by_group.empty
    Console(file=io.StringIO()).print(found)


def test_prices():
    dear, batch = Price("dear", 10.0, 30.0), ("free", None, ["plain"])
    found = parity({"plain": longest()}, TEXTS, prices=[("dear", dear, ["plain"]), batch])
    costs = found.costs.set_index(["model", "language"])
    assert costs.loc["dear", "de"]["dollars"] == pytest.approx(13 * 10 / 1e6)
    assert costs.loc["dear", "de"]["dollars_more_than_pivot"] == pytest.approx(5 * 10 / 1e6)
    # Three English words cost 8 tokens: a million of them, 8 / 3 millions.
    per_words = costs["dollars_per_million_pivot_words"]
    assert per_words["dear", "en"] == pytest.approx(10 * 8 / 3)
    assert per_words["dear", "de"] == pytest.approx(10 * 13 / 3)
    assert costs.loc["dear", "el"]["cost_premium"] == pytest.approx(17 / 8)
    assert np.isnan(costs.loc["free", "en"]["dollars"])
    assert parity({"plain": longest()}, TEXTS).frames.keys().isdisjoint(["costs"])


def test_groups_come_from_a_table(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("language,family\nen,Germanic\nde,Germanic\nel,Hellenic\nfr,Romance\n")
    found = parity({"plain": longest()}, TEXTS, groups=read_groups(table))
    groups = found.by_group.set_index(["by", "group"])
    assert groups.loc["family", "Germanic"]["mean_premium"] == (1 + 13 / 8) / 2
    assert groups.loc["family", "Germanic"]["highest_premium"] == 13 / 8
    assert groups.loc["script", "Greek"]["languages"] == 1
    assert rows_of(found.languages)["el"]["family"] == "Hellenic"


def test_families_are_known_by_codes():
    codes = ["de", "deu_Latn", "pt-BR", "zho_Hant", "fi", "swh_Latn", "xx", "german"]
    found = [families(codes).get(each) for each in codes]
    assert found[:3] == ["Indo-European"] * 3
    assert found[3:] == ["Sino-Tibetan", "Uralic", "Atlantic-Congo", None, None]
    groups = parity({"plain": longest()}, TEXTS).by_group.set_index(["by", "group"])
    assert groups.loc["family", "Indo-European"]["languages"] == len(TEXTS.texts)
    unknown = Parallel({"x1": [b"a"], "x2": [b"b"]})
    assert set(parity({"plain": longest()}, unknown, pivot="x1").by_group["by"]) == {"script"}


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "language\nen\n", "\xff"])
def test_bad_tables_of_groups(tmp_path, content):
    table = tmp_path / "groups.csv"
    table.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match=r"groups\.csv"):
        read_groups(table)


def test_texts_without_tokens_are_no_trouble_unless_all_are():
    vocab = Vocabulary((b"a", b"b", b"?"), {"?": 2})
    dropping = Tokenizer(vocab, Dropping())
    texts = {"en": [b"a", b"x", b"a"], "de": [b"b", b"b", b"b"], "fr": [b"x", b"x", b"x"]}
    found = parity({"plain": dropping}, Parallel(texts))
    rows = rows_of(found.languages)
    assert (rows["de"]["premium"], rows["fr"]["premium"]) == (3 / 2, 0)
    assert np.isfinite(rows["de"]["premium_high"])
    assert np.isnan(rows["fr"]["bytes_per_token"])
    assert json.dumps(found.as_json(), allow_nan=False)
    with pytest.raises(CorpusError, match="no token for any text in 'fr', the pivot"):
        parity({"plain": dropping}, Parallel(texts), pivot="fr")


class Dropping:
    """Leaves out what is neither ``a`` nor ``b``."""

    def segment(self, pieces):
        kept = np.isin(pieces.data, [97, 98])
        ids = (pieces.data[kept] - 97).astype(np.int32)
        ends = np.append(0, np.cumsum(kept))[pieces.ends]
        return ids, ends


def test_joined_texts_have_no_intervals():
    found = parity({"plain": longest(b" ")}, TEXTS, layout="joined")
    rows = rows_of(found.languages)
    assert rows["en"]["tokens"] == len(b"the cat a")
    assert rows["de"]["premium"] == rows["de"]["premium_mean_of_ratios"] == 14 / 9
    assert np.isnan(rows["de"]["premium_low"])
    assert found.as_json()["languages"][1]["premium_low"] is None
    assert "Petrov" in found.as_json()["layout_definition"]


# --- real texts, against tokenizers and formulas of others ----------------------------------


@pytest.fixture(scope="module")
def udhr(shared):
    names = ["en", "de-1996", "ru", "hi", "zh", "vi"]
    return read_parallel([str(shared / "corpora" / "udhr.jsonl")], languages=names)


@pytest.fixture(scope="module")
def r50k(shared):
    return tokkit.load(shared / "tokenizers" / "hf" / "gpt2" / "tokenizer.json")


@pytest.fixture(scope="module")
def cl100k(shared):
    return tokkit.load(shared / "tokenizers" / "hf" / "cl100k" / "tokenizer.json")


@pytest.fixture(scope="module")
def oracle(shared):
    """Tokens as tiktoken counts them, with its own pattern."""
    import base64

    lines = (shared / "tokenizers/tiktoken/r50k_base.tiktoken").read_bytes().splitlines()
    ranks = {
        base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)
    }
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
    encoding = tiktoken.Encoding(
        "r50k", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: len(encoding.encode_ordinary(text.decode()))


def test_premiums_of_the_declaration_of_human_rights(udhr, r50k, oracle):
    found = parity({"plain": r50k}, udhr)
    counts = {name: np.array([*map(oracle, texts)]) for name, texts in udhr.texts.items()}
    pivot = counts["en"]
    for name, row in rows_of(found.languages).items():
        own = counts[name]
        assert row["documents"] == 31
        assert row["tokens"] == own.sum()
        assert row["premium_mean_of_ratios"] == pytest.approx(np.mean(own / pivot), rel=1e-12)
        interval = (row["premium"], row["premium_low"], row["premium_high"])
        assert interval == pytest.approx(ratio_interval(own, pivot), rel=1e-12)
        assert row["premium_mean_of_ratios_low"] == pytest.approx(
            ratio_interval(own / pivot, np.ones(31)).low, rel=1e-9
        )
    per_line = [each.mean() for each in counts.values()]
    summary = found.summaries.iloc[0]
    assert summary["gini_tokens_per_line"] == pytest.approx(gini(per_line), rel=1e-12)
    assert summary["gini_tokens_per_line_low"] < gini(per_line)


def test_joined_texts_are_those_of_petrov(udhr, r50k, oracle, tmp_path):
    expected = {}
    for language in ("en", "ru"):
        parts = []
        for part, own in (("dev", slice(0, 15)), ("devtest", slice(15, None))):
            path = tmp_path / part / f"{language}.{part}"
            path.parent.mkdir(exist_ok=True)
            lines = [text.replace(b"\n", b" ") for text in udhr.texts[language][own]]
            path.write_bytes(b"".join(line + b"\n" for line in lines))
            parts += path.read_text().split("\n")
        expected[language] = oracle(" ".join(parts).encode())
    folders = [str(tmp_path / part) for part in ("dev", "devtest")]
    found = parity({"plain": r50k}, read_parallel(folders, joined=True), layout="joined")
    rows = rows_of(found.languages)
    assert {name: row["tokens"] for name, row in rows.items()} == expected
    assert rows["ru"]["premium"] == expected["ru"] / expected["en"]


def test_two_tokenizers_are_compared_on_the_same_draws(udhr, r50k, cl100k):
    found = parity({"first": r50k, "second": cl100k, "again": r50k}, udhr)
    above = found.summaries.set_index("tokenizer")
    column = "gini_tokens_per_line_above_first"
    for name in ("first", "again"):
        assert above.loc[name][[column, f"{column}_low", f"{column}_high"]].tolist() == [0] * 3
    ginis = above["gini_tokens_per_line"]
    assert above.loc["second"][column] == pytest.approx(ginis["second"] - ginis["first"])
    assert above.loc["second"][f"{column}_high"] < 0


def test_everything_is_json_and_the_same_again(udhr, r50k):
    texts = Parallel({each: udhr.texts[each][:4] for each in ("en", "vi", "zh")})
    first, second = (parity({"plain": r50k}, texts, seed=3).as_json() for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)
    by_language = {row["language"]: row for row in first["languages"]}
    assert by_language["zh"]["words_per_window"] is None
    assert by_language["vi"]["words_per_window"] > 0
