"""How far this tool's own measurements were from annotated ones."""

import json
from pathlib import Path


def read_errors() -> dict[str, tuple[float, float]]:
    """Read the error of each measurement that has been compared with cardiologists' marks.

    Returns
    -------
    dict of str to (float, float)
        By the measurement's name, in its unit: mean and standard deviation over the recordings of measured minus
        annotated, the latter being the median over the leads. Written by `bench/accuracy.py --write` from the
        Lobachevsky database (doi:10.13026/eegm-h675), on whose odd-numbered recordings the marks were tuned.
    """
    table = json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))
    return {name: (error["bias"], error["sd"]) for name, error in table.items()}
