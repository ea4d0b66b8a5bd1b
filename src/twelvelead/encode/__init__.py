"""Recording to embedding by a self-supervised encoder. Needs the extra torch."""

from twelvelead.terms import MissingExtra

try:
    import safetensors as _safetensors  # noqa: F401 - only whether it is there
    import torch as _torch  # noqa: F401
except ImportError as error:
    _msg = "an encoder needs PyTorch and safetensors; got at most one of them. Run: pip install 'twelvelead[torch]'"
    raise MissingExtra(_msg) from error

from twelvelead.encode.attention import cross_pattern
from twelvelead.encode.checkpoint import load_encoder, load_published, read_card, save_encoder, to_published
from twelvelead.encode.config import FS, LEADS_8, PRESETS, RECIPES, SECONDS, EncoderConfig, Recipe
from twelvelead.encode.encoder import Encoder, Predictor, new_model
from twelvelead.encode.intake import to_input
from twelvelead.encode.mask import draw_masks
from twelvelead.encode.monitor import Spread, measure_spread
from twelvelead.encode.objective import ema_update, latent_loss, make_teacher
from twelvelead.encode.positions import sin_cos_table
from twelvelead.encode.pretrain import (
    Plan,
    Training,
    check_training,
    restore,
    snapshot,
    start_training,
    train_step,
)
from twelvelead.encode.schedule import batch_rows, learning_rate, teacher_momentum

__all__ = [
    "FS",
    "LEADS_8",
    "PRESETS",
    "RECIPES",
    "SECONDS",
    "Encoder",
    "EncoderConfig",
    "Plan",
    "Predictor",
    "Recipe",
    "Spread",
    "Training",
    "batch_rows",
    "check_training",
    "cross_pattern",
    "draw_masks",
    "ema_update",
    "latent_loss",
    "learning_rate",
    "load_encoder",
    "load_published",
    "make_teacher",
    "measure_spread",
    "new_model",
    "read_card",
    "restore",
    "save_encoder",
    "sin_cos_table",
    "snapshot",
    "start_training",
    "teacher_momentum",
    "to_input",
    "to_published",
    "train_step",
]
