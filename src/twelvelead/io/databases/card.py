"""`database.json`: what a database says of itself; simulated ones must have it, others may."""

from pathlib import Path
from typing import Any

from twelvelead.io.tables import read_json

CARD = "database.json"


def read_card(folder: Path) -> dict[str, Any]:
    """Read the card of a database: `name`, `simulated` and `optimum`; empty if there is none."""
    path = folder / CARD
    return dict(read_json(path)) if path.is_file() else {}
