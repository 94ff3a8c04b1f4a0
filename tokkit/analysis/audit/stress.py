"""Texts that tokenizers lose something of, by what is hard about them."""

import unicodedata
from collections.abc import Mapping

_ACCENTED = "Ångström naïve Việt Nam Ἀθῆναι 한국어 ǖ ﬁ ½"

TEXTS: Mapping[str, tuple[str, ...]] = {
    "plain": ("Hello world", "The quick brown fox, 1234 times.", "def f(x):\n    return x\n"),
    "composed": tuple(
        unicodedata.normalize(form, _ACCENTED) for form in ("NFC", "NFD", "NFKC", "NFKD")
    ),
    "case": ("CamelCase HTTPServer", "STRASSE straße", "İstanbul ıslak"),
    "spaces": (" a", "a ", "  a", "a  ", "   ", " ", "a  b", "a     b", "a " * 12),
    "tabs": ("\ta", "a\tb", "\t\t\ta", "a \t b\t"),
    "lines": ("a\nb", "a\r\nb", "a\rb", "a\n\n\nb", "\n", "\r\n\r\n", "a\n b", "a \n", "\n\na"),
    "other spaces": ("a\u00a0b", "a\u2009b", "a\u3000b", "a\u2028b", "a\u2029b", "a\x85b"),
    "zero width": ("a\u200bb", "a\u200cb", "a\u200db", "a\u2060b", "soft\u00adhyphen"),
    "byte order marks": ("\ufeffa", "a\ufeffb", "\ufeff"),
    "emoji": ("👩‍👩‍👧‍👦", "👍🏽 🏳️‍🌈", "🇩🇪🇫🇷", "1️⃣ ❤ ❤️", "🤷🏾‍♀️x"),
    "directions": ("a\u200fb\u200e", "\u202babc\u202c", "\u2067שלום\u2069", "مرحبا\u200c؟"),
    "controls": ("a\x00b", "\x1b[0m", "a\x7fb", "\x01\x02", "a\x80\x9fb", "\x0b\x0c"),
    "scripts": ("Привет, мир", "你好，世界", "नमस्ते", "สวัสดี", "𠮷野家", "\U0010ffff\ue000"),
    "specials": ("<s>", "<|endoftext|>", "[CLS] a [SEP]", "<unk>", "▁a", "Ġa", "##a", "<0x0A>"),
    "quotes": ("I'm", "don 't", "a , b .", "“x” ‘y’ …", " n't", "( a )"),
}
"""Text in UTF-8; ``composed`` is one text in four normalization forms."""

BYTES = (b"\xff", b"a\x80b", b"\xc3", b"\xe2\x82 x", b"\xed\xa0\x80", b"\xc0\xaf")
"""What is no UTF-8: the rest of a character, a surrogate, an overlong slash."""
