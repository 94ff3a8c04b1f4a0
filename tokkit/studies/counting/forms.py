"""How a string is written in a prompt: as it is, or letter by letter."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

FormName = Literal["raw", "comma", "list", "quotes", "space", "newline"]


class Form(NamedTuple):
    """What stands before, between and after the letters."""

    before: str
    separator: str
    after: str

    def write(self, text: str) -> str:
        """Write a string in this form: ``"abb"`` is ``"a, b, b"`` with commas."""
        return f"{self.before}{self.separator.join(text)}{self.after}"

    def write_part(self, text: str) -> str:
        """Write a part of a string as it stands in the string: without what is around it."""
        return self.separator.join(text)


FORMS: Mapping[FormName, Form] = {
    "raw": Form("", "", ""),
    "comma": Form("", ", ", ""),
    "list": Form("['", "', '", "']"),
    "quotes": Form('"', '", "', '"'),
    "space": Form("", " ", ""),
    "newline": Form("", "\n", ""),
}
"""The forms by name. `list` is what the code of arXiv 2410.19730 writes (a list as Python shows
it), `quotes` what its description shows."""

PUBLISHED_FORMS: Mapping[str, FormName] = {
    "1": "raw",
    "2": "comma",
    "3": "list",
    "4": "space",
    "baseline": "raw",
}
"""The forms by what arXiv 2410.19730's repository calls them in names of files."""
