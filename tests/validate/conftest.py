"""Reference values that R packages printed; they lie beside the repository, not in it."""

import json
from pathlib import Path

import polars as pl
import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "gold"


@pytest.fixture(scope="session")
def gold_values():
    """Return values.json as a dict."""
    path = FOLDER / "values.json"
    if not path.exists():
        pytest.skip("reference values of R packages (../shared/gold) are absent")
    return json.loads(path.read_text())


@pytest.fixture(scope="session")
def gold_table():
    """Return a function that reads one reference table."""

    def read(name):
        path = FOLDER / name
        if not path.exists():
            pytest.skip(f"reference table ../shared/gold/{name} is absent")
        return pl.read_csv(path, null_values="NA", infer_schema_length=None)

    return read
