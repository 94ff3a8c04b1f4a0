"""Which script a text is written in."""

from collections import Counter
from functools import lru_cache

import regex

UNKNOWN = "Unknown"
SPACELESS = frozenset({"Han", "Japanese", "Khmer", "Lao", "Myanmar", "Thai", "Tibetan"})
"""Scripts in which words are usually not parted by spaces."""
_KANA = ("Hiragana", "Katakana")
_LEAST = 0.1
"""The share of letters that is more than a few names."""
_LONGEST = 1 << 16
"""How many characters of a text are looked at."""
_NAMES = (
    "Latin Cyrillic Arabic Han Hangul Hiragana Katakana Devanagari Bengali Greek Hebrew Thai "
    "Tamil Telugu Kannada Malayalam Gujarati Gurmukhi Oriya Sinhala Myanmar Khmer Lao Tibetan "
    "Georgian Armenian Ethiopic Mongolian Ol_Chiki Meetei_Mayek Tifinagh Nko Adlam Vai "
    "Cherokee Canadian_Aboriginal Thaana Syriac Javanese Balinese Sundanese Buginese Tai_Le "
    "New_Tai_Lue Tai_Tham Cham Yi Bopomofo Limbu Lepcha Chakma Osage Hanifi_Rohingya Bamum "
    "Nyiakeng_Puachue_Hmong Pahawh_Hmong Warang_Citi Lisu Miao Kayah_Li Rejang Batak Tagalog "
    "Syloti_Nagri Saurashtra Coptic Gothic Runic Deseret"
)
"""The scripts that are told apart, as Unicode calls them, common ones first."""
_ANY = regex.compile("|".join(rf"(?P<{name}>\p{{Script={name}}})" for name in _NAMES.split()))


def main_script(text: str) -> str:
    """Return the script that a text is written in, as Unicode names it.

    It is the one that most letters are of, but Latin only if hardly any are of another: there
    are Latin letters in the code and the names of all languages. Han with kana is
    ``"Japanese"``; a text without letters of a known script is ``"Unknown"``.
    """
    letters: Counter[str] = Counter()
    for character, count in Counter(text[:_LONGEST]).items():
        if script := script_of(character):
            letters[script] += count
    others = {each: count for each, count in letters.items() if each != "Latin"}
    script = max(others, key=lambda each: others[each], default=UNKNOWN)
    if letters["Latin"] and others.get(script, 0) < _LEAST * letters.total():
        return "Latin"
    kana = sum(letters[each] for each in _KANA)
    if script in (*_KANA, "Han") and kana >= _LEAST * (letters["Han"] + kana):
        return "Japanese"
    return script.replace("_", " ")


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str:
    """Return the script of a character, ``""`` if all scripts share it."""
    found = _ANY.match(character)
    return found.lastgroup or "" if found else ""
