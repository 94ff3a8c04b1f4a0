"""Put the pages of the documentation web site where its builder looks for them.

Pages are the README, what is in ``docs``, and the notebooks as Markdown; links between them are
rewritten to where they are on the site, and links to other files become text.

Usage: ``python docs/site/assemble.py FOLDER``
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)")
_COMMANDS = re.compile(r"^```console\n(?!\$ )", re.MULTILINE)
"""Begins commands without what they print, which are shown as the shell script they are."""
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """Return where each page is on the site, by where it is here."""
    found = {
        "README.md": "index.md",
        "CHANGELOG.md": "changelog.md",
        "data/README.md": "data.md",
    }
    for path in sorted((ROOT / "docs").glob("*.md")):
        found[f"docs/{path.name}"] = path.name
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for suffix in (".ipynb", ".py"):
            found[f"notebooks/{path.stem}{suffix}"] = f"notebooks/{path.stem}.md"
    return found


def rewrite_links(text: str, source: str, places: Mapping[str, str]) -> str:
    """Let links of a page lead to where their targets are on the site.

    Args:
        text: The page, in Markdown; links in code are none.
        source: Where it is here.
        places: What `pages` returns.
    """

    def rewrite(match: re.Match[str]) -> str:
        image, label, target, anchor = match.groups(default="")
        if image or not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))
        if path not in places:
            return label
        to = os.path.relpath(places[path], os.path.dirname(places[source]) or ".")
        return f"[{label}]({to}{anchor})"

    parts = _CODE.split(text)
    for place in range(0, len(parts), 2):
        parts[place] = _LINK.sub(rewrite, parts[place])
    return "".join(parts)


def notebook_page(notebook: Mapping[str, Any]) -> str:
    """Write a notebook as Markdown: its text, its code, and what it showed."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(_fenced(source, "python"))
        parts += [_shown(output) for output in cell["outputs"]]
    return "\n\n".join(parts) + "\n"


def _shown(output: Mapping[str, Any]) -> str:
    """Write what a cell showed."""
    data = output.get("data", {})
    if "image/png" in data:
        return f"![](data:image/png;base64,{''.join(data['image/png'].split())})"
    return _fenced("".join(output.get("text") or data.get("text/plain", "")).rstrip(), "text")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def assemble(folder: Path) -> None:
    """Write the pages and the configuration of the builder."""
    places = pages()
    shutil.rmtree(folder / "pages", ignore_errors=True)
    for source, place in places.items():
        path, target = ROOT / source, folder / "pages" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ipynb":
            text = notebook_page(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
        else:  # the same notebook as a script
            continue
        text = _COMMANDS.sub("```sh\n", rewrite_links(text, source, places))
        target.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "site" / "mkdocs.yml", folder)


if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
