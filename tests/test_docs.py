"""Pages lead where they say, and name commands and options that there are."""

import importlib.util
import json
import os
import re
import shlex
import unicodedata
from pathlib import Path

import pytest
import typer
from tokkit_cli.app import app
from tokkit_cli.default_command import DefaultCommand

from tokkit.analysis.measures import RATIOS, TYPES
from tokkit.analysis.use import definitions
from tokkit.hypernet.config import PRESETS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
COMMAND = typer.main.get_command(app)

HANDWRITTEN = [path for path in PAGES if path.name != "cli.md"]


def each_of(paths):
    """Run a test for each of some pages."""
    return pytest.mark.parametrize("page", paths, ids=lambda path: str(path.relative_to(ROOT)))


def fences(text):
    """The code blocks of a page: their language and their text."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text):
    """A page without code blocks, and without what would be links if it were not code."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]+`", lambda match: re.sub(r"[\[\]()`]", "", match[0]), text)


def anchors(text):
    """The anchors that a page's headings have, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        kept = (
            character
            for character in heading.lower()
            if character in " -_" or unicodedata.category(character)[0] in "LN"
        )
        found.add("".join(kept).replace(" ", "-"))
    return found


def links(text):
    """Where a page's links lead."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


@each_of(PAGES)
def test_links_lead_somewhere(page):
    for link in links(page.read_text(encoding="utf-8")):
        if re.match("[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page.name}: {link}"


def commands_of(text):
    """The words of each ``tokkit`` command in the console blocks of a page."""
    for language, code in fences(text):
        if language != "console":
            continue
        lines = code.replace("\\\n", " ").split("\n")
        has_prompt = any(line.startswith("$ ") for line in lines)
        for line in lines:
            if has_prompt and not line.startswith("$ "):
                continue
            yield from commands_in(line.removeprefix("$ "))


def commands_in(line):
    """The words of each ``tokkit`` command of a line, up to a pipe or the like."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, "|"]:
        if word[0] in "|&;<>()":
            if words and words[0] == "tokkit":
                yield words
            words = []
        else:
            words.append(word)


def find_command(words):
    """The command that words name, and the words after its name."""
    command, rest = COMMAND, words[1:]
    while hasattr(command, "commands"):
        if rest and rest[0] in command.commands:
            command, rest = command.commands[rest[0]], rest[1:]
        elif isinstance(command, DefaultCommand) and rest[:1] not in ([], ["-h"], ["--help"]):
            command = command.commands[command.default]
        else:
            break
    return command, rest


def options_of(command):
    """What options a command takes."""
    names = {"-h", "--help"}
    for parameter in command.params:
        names.update(parameter.opts, parameter.secondary_opts)
    return names


@each_of(HANDWRITTEN)
def test_commands_and_their_options_exist(page):
    for words in commands_of(page.read_text(encoding="utf-8")):
        command, rest = find_command(words)
        shown = f"{page.name}: {shlex.join(words)}"
        is_group = hasattr(command, "commands")
        assert not is_group or all(word in options_of(command) for word in rest), shown
        for word in rest:
            if word.startswith("-") and len(word) > 1:
                assert word.partition("=")[0] in options_of(command), f"{word} of {shown}"


def leaves(command, name="tokkit"):
    """The names of all commands; that of a group for the one that goes without its name."""
    inner = getattr(command, "commands", {})
    if not inner:
        return [name]
    default = command.default if isinstance(command, DefaultCommand) else None
    names = {word: name if word == default else f"{name} {word}" for word in inner}
    return [leaf for word, each in inner.items() for leaf in leaves(each, names[word])]


@pytest.mark.parametrize("name", leaves(COMMAND))
def test_every_command_is_on_some_page(name):
    # One line may name several, as in "`tokkit numbers generate`, `run`, `score`".
    group, _, last = name.rpartition(" ")
    spelled = re.compile(rf"\b{group} {last}\b|\b{group} [^\n]*[`|]{last}\b")
    assert any(spelled.search(path.read_text(encoding="utf-8")) for path in HANDWRITTEN)


def test_every_measure_is_defined_in_the_docs():
    text = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
    names = [each.name for each in RATIOS] + [*TYPES, *definitions([1.0, 2.5])]
    for name in names:
        plain = re.sub("_(alone|spaced|macro)$", "", name)
        plain = re.sub("^(shannon|renyi_2.5)_(?=efficiency)", "", plain)
        plain = plain.replace("renyi_2.5_", "renyi_α_")
        assert plain in text, name


def test_the_presets_of_hypernetworks_are_those_of_the_table():
    text = (ROOT / "docs" / "hypernet.md").read_text(encoding="utf-8")
    table = text.partition("| | tiny | small | paper |")[2].partition("\n\n")[0]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[2:]
    ]
    for column, name in enumerate(("tiny", "small", "paper"), 1):
        shape, recipe = PRESETS[name].config, PRESETS[name].recipe
        said = [row[column].replace(",", "") for row in rows]
        assert said[2:4] == [
            "what to add" if shape.residual else "the row",
            "copied" if recipe.copy_known else "predicted",
        ]
        assert [float(each.replace("all", "0")) for each in said[:2] + said[4:]] == [
            shape.layers,
            shape.surface,
            recipe.warm_up_steps,
            recipe.steps,
            recipe.vocab_size,
            recipe.noise_spread,
            recipe.across_words,
            recipe.block,
            recipe.queue,
            recipe.batch,
            recipe.length,
            recipe.lexical_tokens,
            recipe.rate,
            recipe.clip,
        ]


def assembly():
    """The script that puts the pages of the site together."""
    spec = importlib.util.spec_from_file_location(
        "assemble", ROOT / "docs" / "site" / "assemble.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_has_every_page_and_its_links_lead_to_pages(tmp_path):
    assembly().assemble(tmp_path)
    pages = tmp_path / "pages"
    written = {str(path.relative_to(pages)) for path in pages.rglob("*.md")}
    listed = re.findall(r"^ +- .+: (\S+\.md)$", (tmp_path / "mkdocs.yml").read_text(), re.M)
    assert sorted(listed) == sorted(written)
    for path in pages.rglob("*.md"):
        for link in links(path.read_text(encoding="utf-8")):
            if not re.match("[a-z]+:", link):
                target = path.parent / link.partition("#")[0]
                assert target.exists(), f"{path}: {link}"
                assert os.path.commonpath([target.resolve(), pages.resolve()]) == str(
                    pages.resolve()
                )


def test_notebooks_become_pages_with_what_they_showed():
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {
            "cell_type": "code",
            "source": ["1 + 1"],
            "outputs": [
                {"output_type": "stream", "text": ["two\n"]},
                {"data": {"text/plain": ["2"], "text/html": ["<b>2</b>"]}},
                {"data": {"image/png": "aGk=\n", "text/plain": "a picture"}},
            ],
        },
    ]
    assert assembly().notebook_page(json.loads(json.dumps({"cells": cells}))) == (
        "# Title\ntext\n\n```python\n1 + 1\n```\n\n```text\ntwo\n```\n\n```text\n2\n```\n\n"
        "![](data:image/png;base64,aGk=)\n"
    )


def test_links_are_rewritten_outside_of_code_only():
    places = {"docs/a.md": "a.md", "notebooks/n.py": "notebooks/n.md", "README.md": "index.md"}
    text = (
        "[n](../notebooks/n.py#x) `[n](../notebooks/n.py)` [l](../LICENSE) [w](https://w.org)"
    )
    assert assembly().rewrite_links(text, "docs/a.md", places) == (
        "[n](notebooks/n.md#x) `[n](../notebooks/n.py)` l [w](https://w.org)"
    )
