"""Which script a text is written in."""

from collections import Counter
from functools import lru_cache

import regex

UNKNOWN = "Unknown"
SPACELESS = frozenset({"Han", "Japanese", "Khmer", "Lao", "Myanmar", "Thai", "Tibetan"})
"""Scripts in which words are usually not parted by spaces."""
_KANA = ("Hiragana", "Katakana")
_LEAST_KANA = 0.1
"""The share of letters from which on Han with kana is Japanese: names alone have less."""
_LONGEST = 1 << 16
"""How many characters of a text are looked at."""
_NAMES = """Latin Cyrillic Arabic Han Hangul Hiragana Katakana Devanagari Bengali Greek Hebrew
Thai Tamil Telugu Kannada Malayalam Gujarati Gurmukhi Oriya Sinhala Myanmar Khmer Lao Tibetan
Georgian Armenian Ethiopic Mongolian Ol_Chiki Meetei_Mayek Tifinagh Nko Adlam Vai Cherokee
Canadian_Aboriginal Thaana Syriac Javanese Balinese Sundanese Buginese Tai_Le New_Tai_Lue
Tai_Tham Cham Yi Bopomofo Limbu Lepcha Chakma Osage Hanifi_Rohingya Nyiakeng_Puachue_Hmong
Pahawh_Hmong Warang_Citi Bamum Lisu Miao Kayah_Li Rejang Batak Tagalog Syloti_Nagri Saurashtra
Coptic Gothic Runic Deseret""".split()
_ANY = regex.compile("|".join(rf"(?P<{name}>\p{{Script={name}}})" for name in _NAMES))


def main_script(text: str) -> str:
    """Return the script that most letters of a text are of, as Unicode names it.

    Han among which there is kana is ``"Japanese"``; a text without letters of a known script
    is ``"Unknown"``.
    """
    letters: Counter[str] = Counter()
    for character, count in Counter(text[:_LONGEST]).items():
        if script := script_of(character):
            letters[script] += count
    if not letters:
        return UNKNOWN
    kana = sum(letters[each] for each in _KANA)
    own = letters["Han"] + kana
    script, most = letters.most_common(1)[0]
    if own >= most and kana >= _LEAST_KANA * own:
        return "Japanese"
    return script.replace("_", " ")


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str:
    """Return the script of a character, ``""`` if all scripts share it."""
    found = _ANY.match(character)
    return found.lastgroup or "" if found else ""
