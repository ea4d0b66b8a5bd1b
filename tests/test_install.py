"""What the project's own environment holds: see docs/decisions/0001-base-install.md."""

from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_nothing_of_cuda_is_installed():
    names = {d.metadata["Name"].lower() for d in distributions()}
    assert not {n for n in names if n.startswith(("nvidia-", "cuda-"))}


def test_constraints_pin_versions_and_name_no_host_or_hash():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    for line in lines:
        assert "==" in line, line
        assert "://" not in line, line
        assert "--hash" not in line, line
        assert "@" not in line, line
