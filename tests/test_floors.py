"""Architecture. Static: reads source text and imports nothing of ours, so that a cycle can't hide the message."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "twelvelead"
FLOORS = [
    {"terms"},
    {"signal", "cohort"},
    {"measure", "simulate", "encode"},
    {"predict", "validate", "interpret"},
    {"io", "privacy"},
    {"report"},
    {"study"},
    {"app"},
]
FLOOR = {room: n for n, floor in enumerate(FLOORS) for room in floor}
MODULES = sorted(PACKAGE.rglob("*.py"))
IDS = [p.relative_to(PACKAGE).as_posix() for p in MODULES]
MAY_TOUCH_THE_WORLD = {"io", "study", "app", "report"}  # report reads its own template
SHELLS = {"app"}


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "twelvelead":
            parts = node.module.split(".")
            yield from ([parts[1]] if len(parts) > 1 else [a.name for a in node.names])
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("twelvelead."))


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_imports_point_down(path):
    room = room_of(path)
    if room == "__init__":
        return
    seen = set(rooms_imported(ast.parse(path.read_text()))) & set(FLOOR)
    up = {r for r in seen if r != room and FLOOR[r] >= FLOOR[room]}
    assert not up, f"{room} (floor {FLOOR[room]}) may not import {up}"


def test_every_room_has_a_floor():
    rooms = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.is_dir() or p.suffix == ".py"}
    assert rooms - {"__init__", "__pycache__", "py.typed"} == set(FLOOR)


def test_import_linter_knows_the_same_floors():
    text = (ROOT / "pyproject.toml").read_text()
    layers = re.search(r"layers = \[(.*?)\]", text, re.DOTALL).group(1)
    declared = [set(re.findall(r"twelvelead\.(\w+)", line)) for line in re.findall(r'"([^"]+)"', layers)]
    assert declared == FLOORS[::-1]


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_only_shells_touch_the_world(path):
    if room_of(path) in MAY_TOUCH_THE_WORLD:
        return
    tree = ast.parse(path.read_text())
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not calls & {"open", "print", "input"}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not attributes & {"read_bytes", "write_text", "write_bytes", "now", "today", "environ", "getenv"}


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 450, "one idea per file"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            doc = ast.get_docstring(node, clean=False)
            length = node.end_lineno - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)
            assert length <= 90, f"{node.name} has {length} lines without its docstring"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_nothing_reads_a_pickle(path):
    names = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
    assert not names & {"pickle", "joblib", "cloudpickle", "dill", "eval", "exec"}


def test_no_vague_module_names():
    vague = {"utils", "util", "core", "base", "common", "helpers", "models", "misc"}
    here = {p.relative_to(PACKAGE).as_posix() for p in MODULES if p.stem in vague}
    assert here <= {"io/models.py"}, "io/models.py is what a study's models are on disk; nothing else may be so named"
