"""Hypothesis strategies that tests share."""

import numpy as np
from hypothesis import strategies as st

_RANGES = (
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x17F),  # Latin
    (0x300, 0x36F),  # combining marks
    (0x370, 0x52F),  # Greek, Cyrillic
    (0x590, 0x6FF),  # Hebrew, Arabic
    (0x900, 0x97F),  # Devanagari
    (0xE00, 0xE7F),  # Thai
    (0x1100, 0x11FF),  # Hangul letters
    (0x2000, 0x206F),  # spaces, dashes, controls of direction
    (0x2100, 0x218F),  # letterlike, fractions, Roman numerals
    (0x3000, 0x30FF),  # CJK punctuation, kana
    (0x4E00, 0x4FFF),  # Han
    (0xAC00, 0xADFF),  # Hangul syllables
    (0xFB00, 0xFB4F),  # ligatures
    (0xFF00, 0xFFEF),  # full and half width
    (0x1D400, 0x1D4FF),  # mathematical letters
    (0x1F300, 0x1F6FF),  # pictures
    (0x20000, 0x200FF),  # more Han
)
CHARACTERS = st.one_of(
    *(st.characters(min_codepoint=low, max_codepoint=high) for low, high in _RANGES)
)
RUNS = st.sampled_from(
    [
        *(
            " ",
            "  ",
            "    ",
            "\t",
            "\n",
            "\r\n",
            "\n\n",
            " \n ",
            "\u00a0",
            "\u3000",
            "\x85",
            "\u2028",
        ),
        *("the", " the", "The", "THE", "'s", "'LL", "don't", " I", "ing", "er", "\u017f"),
        *("0", "7", "12", "123", "1234", "12345678", "３", "½", "٣٤"),
        *("!", "...", "?!", "::", "==", "<|", "|>", "/", "\\", "_", "-", "--", "(", ")"),
        *("é", "e\u0301", "ß", "ﬁ", "İ", "漢字", "한", "สวัสดี", "नमस्ते", "👍🏽", "👩‍👩‍👧", "🇩🇪"),
        *(
            "\0",
            "\x07",
            "\x1b",
            "\x7f",
            "\x80",
            "\u200b",
            "\u200d",
            "\ufeff",
            "\ufffd",
            "\ue000",
        ),
        *("▁", "▁▁", "Ġ", "##", "</w>", "<0x0A>", "<unk>", "aaaaaaaa", "ababab"),
    ]
)


def texts(*specials: str, max_size: int = 24) -> st.SearchStrategy[str]:
    """Draw texts of many scripts, with digits, white space, marks, controls and `specials`."""
    own = [st.sampled_from(specials)] if specials else []
    return st.lists(st.one_of(RUNS, CHARACTERS, *own), max_size=max_size).map("".join)


def byte_strings(max_size: int = 40) -> st.SearchStrategy[bytes]:
    """Draw bytes that are often not UTF-8: random ones, and text cut and joined anywhere."""
    cut = st.tuples(texts(max_size=6), st.integers(0, 3), st.integers(0, 3)).map(
        lambda parts: parts[0].encode()[parts[1] : len(parts[0].encode()) - parts[2]]
    )
    return st.lists(st.one_of(cut, st.binary(max_size=4)), max_size=6).map(
        lambda parts: b"".join(parts)[:max_size]
    )


@st.composite
def merge_vocabularies(draw, letters, longest=4, ranked=True):
    """Draw tokens, merges and ranks: in the order of training, or in any other."""
    tokens = [letter.encode() for letter in letters]
    merges = []
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if len((left + right).decode()) > longest:
            continue
        if left + right not in tokens:
            tokens.append(left + right)
        merges.append((tokens.index(left), tokens.index(right), tokens.index(left + right)))
    order = draw(st.sampled_from(["training", "any", "ties", "by token"]))
    merges = draw(st.permutations(merges)) if order == "any" else merges
    ranks = None
    if ranked and order in ("ties", "by token"):
        numbers = st.lists(st.integers(-3, 3), min_size=len(tokens) + len(merges))
        drawn = draw(numbers)
        by_token = order == "by token"
        ranks = [drawn[row[2] if by_token else place] for place, row in enumerate(merges)]
        ranks = np.array(ranks, dtype=np.int32)
    return tokens, np.array(merges, dtype=np.int32).reshape(-1, 3), ranks
