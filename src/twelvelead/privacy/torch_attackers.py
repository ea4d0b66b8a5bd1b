"""The attackers that need PyTorch, declared without it."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.units import Units
from twelvelead.terms import MissingExtra

Floats = NDArray[np.float64]


def attack_by_cnn(background: Units, gallery: Units, probe: Units, *, seed: int, device: str = "cpu") -> Floats:
    """Compare beats by `cnn.attack`."""
    _need_torch("cnn")
    from twelvelead.privacy import cnn

    return cnn.attack(background, gallery, probe, seed=seed, device=device)


def attack_by_transecg(background: Units, gallery: Units, probe: Units, *, seed: int, device: str = "cpu") -> Floats:
    """Name people by `transecg.attack`."""
    _need_torch("transecg")
    from twelvelead.privacy import transecg

    return transecg.attack(background, gallery, probe, seed=seed, device=device)


def _need_torch(key: str) -> None:
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError as error:
        msg = f"the attacker {key} needs PyTorch; got none. Run: pip install 'twelvelead[torch]'"
        raise MissingExtra(msg) from error


CNN = Attacker("cnn", "Convolutions that map people apart", "beats", "background", attack_by_cnn, extra="torch")
TRANSECG = Attacker("transecg", "Transformer over beats", "beats", "gallery", attack_by_transecg, extra="torch")

TORCH_ATTACKERS: dict[str, Attacker] = {a.key: a for a in (CNN, TRANSECG)}
"""By their key."""
