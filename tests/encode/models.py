"""Small shapes, and the package's modules filled with the drawn weights of the plain ones."""

import torch
from tests.encode import plain_encoder as plain

from twelvelead.encode import Encoder, EncoderConfig, Predictor

SMALL = EncoderConfig(
    24, 3, 3, predictor_width=16, predictor_depth=2, predictor_heads=2, n_patches=10, patch=6, drop_path=0.0
)


def encoder_of(config, *, seed):
    positions = plain.table(config.width, config.n_leads, config.n_patches)
    state = plain.drawn(plain.encoder_shapes(config), seed=seed, positions=positions)
    encoder = Encoder(config)
    encoder.load_state_dict(state, strict=True)
    return encoder.eval(), {name: tensor.double() for name, tensor in state.items()}


def predictor_of(config, *, seed):
    positions = plain.table(config.predictor_width, 1, config.n_patches)
    state = plain.drawn(plain.predictor_shapes(config), seed=seed, positions=positions)
    predictor = Predictor(config)
    predictor.load_state_dict(state, strict=True)
    return predictor.eval(), {name: tensor.double() for name, tensor in state.items()}


def recordings(config, *, n, seed):
    return torch.randn(n, config.n_leads, config.n_samples, generator=torch.Generator().manual_seed(seed))
