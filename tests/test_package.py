"""The surface: what importing costs, what each room offers, and how its functions may be called."""

import importlib
import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

import twelvelead

ROOMS = [r for r in twelvelead.ROOMS if r not in {"terms", "app"}]
STDLIB_ONLY = "import sys; before = set(sys.modules); import twelvelead; new = set(sys.modules) - before; "


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own code


def test_importing_the_package_loads_nothing_heavy():
    loaded = run(STDLIB_ONLY + "print(sorted({m.split('.')[0] for m in new}))")
    assert not {"numpy", "scipy", "polars", "sklearn", "xgboost", "pydantic", "rich"} & set(eval(loaded))  # noqa: S307


def test_help_loads_no_room():
    code = "import sys; from twelvelead.app.cli import main; main(['--help']); print(sorted(sys.modules))"
    loaded = run(code).splitlines()[-1]
    for heavy in ("'numpy'", "'polars'", "'scipy'", "'sklearn'", "'xgboost'", "'pydantic'"):
        assert heavy not in loaded


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_is_for(room):
    module = importlib.import_module(f"twelvelead.{room}")
    first = module.__doc__.splitlines()[0]
    assert first.endswith(".")
    assert len(first) <= 120


def test_a_room_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match="Its rooms are terms, signal"):
        twelvelead.kitchen  # noqa: B018


def public_functions():
    for room in ROOMS:
        module = importlib.import_module(f"twelvelead.{room}")
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                yield pytest.param(thing, id=f"{room}.{name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_public_functions_take_at_most_three_positional_arguments(function):
    positional = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(positional) <= 3
    assert not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


@pytest.mark.parametrize("function", list(public_functions()))
def test_public_functions_are_documented(function):
    doc = inspect.getdoc(function)
    assert doc, "a public function says what it does"
    parameters = list(inspect.signature(function).parameters)
    if len(parameters) > 1:
        assert "Parameters\n" in doc
        for name in parameters:
            assert name in doc, f"{name} is not in the docstring"


def test_scientific_choices_have_no_silent_default():
    for room in ("cohort", "simulate", "validate"):
        module = importlib.import_module(f"twelvelead.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing) and "seed" in inspect.signature(thing).parameters:
                assert inspect.signature(thing).parameters["seed"].default is inspect.Parameter.empty, name


def test_version_is_in_the_changelog():
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
    assert f"## {twelvelead.__version__}" in changelog


def test_help_is_there_at_once():
    # Not a benchmark: a generous bound that only a heavy import at the top of a module would break.
    start = time.perf_counter()
    run("from twelvelead.app.cli import main; main(['--help'])")
    assert time.perf_counter() - start < 5
