"""What the project's own environment holds: see docs/decisions/0001-base-install.md."""

from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_nothing_of_cuda_is_installed():
    installed = {d.metadata["Name"].lower(): d.version for d in distributions()}
    if "torch" in installed and not installed["torch"].endswith("+cpu"):
        pytest.skip("this torch, which the tests alone need, is itself built for CUDA")
    names = set(installed)
    assert not {n for n in names if n.startswith(("nvidia-", "cuda-"))}


def test_constraints_pin_versions_and_name_no_host_or_hash():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    for line in lines:
        assert "==" in line, line
        assert "://" not in line, line
        assert "--hash" not in line, line
        assert "@" not in line, line
