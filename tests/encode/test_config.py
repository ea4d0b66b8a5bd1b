import runpy
import sys
from dataclasses import replace

import pytest

from twelvelead import encode
from twelvelead.encode import FS, LEADS_8, PRESETS, RECIPES, SECONDS
from twelvelead.terms import InputError, MissingExtra


def test_presets_take_ten_seconds_of_eight_leads():
    for config in PRESETS.values():
        assert config.leads == LEADS_8 == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
        assert config.n_samples == FS * SECONDS
        assert config.patch / FS == 0.2


@pytest.mark.parametrize(
    "change", [{"heads": 5}, {"width": 66}, {"n_leads": 9}, {"depth": 0}, {"drop_path": 1.0}, {"predictor_heads": 3}]
)
def test_impossible_shapes_are_refused(change):
    with pytest.raises(InputError):
        replace(PRESETS["tiny"], **change)


@pytest.mark.parametrize(
    "change", [{"per_sample": True}, {"views": 2}, {"mask_ratio": (0.3, 0.2)}, {"mask_ratio": (0.5, 1.0)}]
)
def test_impossible_recipes_are_refused(change):
    with pytest.raises(InputError):
        replace(RECIPES["paper"], **change)


@pytest.mark.parametrize("missing", ["torch", "safetensors"])
def test_without_the_extra_the_install_command_is_said(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    with pytest.raises(MissingExtra, match=r"needs PyTorch and safetensors.*Run: pip install 'twelvelead\[torch\]'"):
        runpy.run_path(encode.__file__)
