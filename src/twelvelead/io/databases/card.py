"""`database.json`: what a database says of itself; simulated ones must have it, others may."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twelvelead.io.tables import read_json

CARD = "database.json"


def read_card(folder: Path, tables: Iterable[Path] = ()) -> dict[str, Any]:
    """Read the card of a database: `name`, `simulated` and `optimum`; empty if there is none.

    Parameters
    ----------
    folder : Path
        Folder of the database.
    tables : iterable of Path
        Its tables, which may lie deeper: the card counts in every folder on the way to them, so that nothing simulated
        is ever taken for real because of where it was put.
    """
    on_the_way = {folder} | {parent for table in tables for parent in table.parents if parent.is_relative_to(folder)}
    cards = [read_json(place / CARD) for place in sorted(on_the_way) if (place / CARD).is_file()]
    return dict(cards[0]) if cards else {}
