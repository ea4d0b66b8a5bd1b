"""The documentation is under test."""

import importlib.util
import re
from pathlib import Path

import pytest

from twelvelead.app.cli import main
from twelvelead.measure import CATALOGUE

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = generator()


@pytest.mark.parametrize("name", GENERATE.PAGES)
def test_generated_pages_are_up_to_date(name):
    assert (ROOT / "docs" / name).read_text() == GENERATE.PAGES[name](), "run `make docs`"


def test_every_command_is_documented(capsys):
    main(["--help"])
    commands = set(re.findall(r"^│ (\w+) ", capsys.readouterr().out, re.MULTILINE))
    assert commands == set(GENERATE.COMMANDS)


def test_every_measurement_is_in_the_catalogue_page():
    page = (ROOT / "docs" / "catalogue.md").read_text()
    for m in CATALOGUE:
        name = m.name if m.lead is None else m.name.replace(f"_{m.lead.lower()}_", "_<lead>_")
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_within_the_repository_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_commands_in_the_documentation_exist(path):
    known = {*GENERATE.COMMANDS, "--help", "--version"}
    for command in re.findall(r"^(?:\$ )?twelvelead (\S+)", path.read_text(), re.MULTILINE):
        assert command in known, command


def test_the_readme_says_what_it_must():
    readme = (ROOT / "README.md").read_text()
    for said in ("make demo", "make test", "not a medical device", "simulated"):
        assert said in readme


def test_decisions_are_numbered_and_confirmed():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [p.name[:4] for p in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        assert "**Confirmation.**" in path.read_text()
