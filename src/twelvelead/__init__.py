"""Measure a 12-lead ECG and find out, honestly, what the measurements predict.

Research software, not a medical device.

Importing this package loads none of its rooms: `twelvelead.measure`, `twelvelead.validate` and the others are
imported when they are first used, so that a script that needs one of them does not wait for all.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

ROOMS = (
    "terms",
    "signal",
    "cohort",
    "measure",
    "simulate",
    "encode",
    "predict",
    "validate",
    "interpret",
    "privacy",
    "io",
    "report",
    "study",
    "app",
)
__all__ = ["ROOMS", "__version__"]


def __getattr__(name: str) -> ModuleType:
    if name in ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    msg = f"module {__name__!r} has no attribute {name!r}. Its rooms are {', '.join(ROOMS)}."
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*ROOMS, *__all__])
