"""Which software made a result."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import twelvelead

LIBRARIES = ("numpy", "scipy", "polars", "scikit-learn", "pydantic", "jinja2")


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that a number can depend on."""
    import xgboost  # its distribution may be called xgboost or xgboost-cpu

    return {
        "twelvelead": twelvelead.__version__,
        "code": code_digest(),
        "python": platform.python_version(),
        "xgboost": xgboost.__version__,
        **{name: version(name) for name in LIBRARIES},
    }


@cache
def code_digest() -> str:
    """Give the SHA-256 of this package's source, so that results of changed code are never taken for its own."""
    root = Path(twelvelead.__file__).parent
    hashed = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        hashed.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()[:16]
