"""A model of GEM's shape: an ECG's signal and its picture become words' neighbours, and a language model goes on."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.encode import PRESETS, Encoder, EncoderConfig
from twelvelead.encode.block import Blocks, init_weights
from twelvelead.encode.linear import Linear
from twelvelead.interpret.dual_decoder import ByteDecoder, Decoder
from twelvelead.terms import InputError

PLACE = "<image>"
"""Stands in a question where the ECG's tokens go, as in GEM's data."""


@dataclass(frozen=True)
class DualConfig:
    """The shape of a dual encoder with a small decoder.

    Parameters
    ----------
    signal : EncoderConfig
        Of the encoder of the signal.
    per_lead : int
        Tokens that a lead's patches are averaged to; the patches are whole multiples of it.
    image : tuple of int
        Height and width that the picture is shrunk to, pixels; whole patches.
    patch : int
        Side of a patch of the picture, pixels.
    image_width, image_depth, image_heads : int
        Of the encoder of the picture.
    width, depth, heads : int
        Of the decoder.
    context : int
        Most tokens of a conversation, the ECG's among them.

    Raises
    ------
    InputError
        If something is no whole multiple that must be one.

    Examples
    --------
    >>> TINY.n_signal_tokens, TINY.n_image_tokens
    (40, 32)
    """

    signal: EncoderConfig
    per_lead: int = 5
    image: tuple[int, int] = (128, 256)
    patch: int = 32
    image_width: int = 64
    image_depth: int = 2
    image_heads: int = 4
    width: int = 128
    depth: int = 3
    heads: int = 4
    context: int = 4096

    def __post_init__(self) -> None:
        if self.signal.n_patches % self.per_lead or any(side % self.patch for side in self.image):
            msg = f"patches must be shared evenly; got {self.signal.n_patches} among {self.per_lead} tokens, and "
            msg += f"{self.image[0]} by {self.image[1]} pixels in patches of {self.patch}. Change one."
            raise InputError(msg)

    @property
    def n_signal_tokens(self) -> int:
        """Tokens of the signal."""
        return self.signal.n_leads * self.per_lead

    @property
    def n_image_tokens(self) -> int:
        """Tokens of the picture."""
        return (self.image[0] // self.patch) * (self.image[1] // self.patch)


TINY = DualConfig(PRESETS["tiny"])
"""Trains on a processor; it shows that everything fits together, and can learn no medicine."""


class Sight(NamedTuple):
    """What the model is shown of recordings.

    Parameters
    ----------
    signal : Tensor, shape (batch, n_leads, n_samples)
        mV at 250 Hz, as `encode.to_input` makes it.
    image : Tensor, shape (batch, height, width)
        0 black to 1 white, as `shrink` makes it.
    """

    signal: Tensor
    image: Tensor


class Seen(NamedTuple):
    """What the encoders made of it.

    Parameters
    ----------
    signal : Tensor, shape (batch, n_signal_tokens, signal width)
        Lead after lead.
    image : Tensor, shape (batch, n_image_tokens, image width)
        Row after row.
    """

    signal: Tensor
    image: Tensor


class ImageEncoder(nn.Module):
    """A small vision transformer: a token for each patch of the picture.

    Parameters
    ----------
    config : DualConfig
        Its shape.
    """

    def __init__(self, config: DualConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.into = Linear(config.patch**2, config.image_width)
        self.positions = nn.Parameter(torch.randn(1, config.n_image_tokens, config.image_width) * 0.02)
        self.blocks = Blocks(config.image_width, config.image_depth, config.image_heads, drop_path=0.0)
        self.norm = nn.LayerNorm(config.image_width)
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Turn pictures, shape (batch, height, width), into tokens, shape (batch, n_patches, width)."""
        patches = image.unfold(1, self.patch, self.patch).unfold(2, self.patch, self.patch).flatten(3).flatten(1, 2)
        out: Tensor = self.norm(self.blocks(self.into(1.0 - patches), self.positions))
        return out


class DualEncoder(nn.Module):
    """Two encoders, two projectors, one decoder.

    Parameters
    ----------
    config : DualConfig
        The shape.
    encoder : Encoder, optional
        One that was pre-trained, of `config.signal`'s shape; drawn at random unless given.
    decoder : Decoder, optional
        Another than the small one.

    Notes
    -----
    The signal's tokens go through a layer of their own into the picture's space, and both through the same two layers
    with GELU into the decoder's, the signal's first, as in GEM's published code [1]_. The picture is shrunk whole: the
    centre crop that its image processor makes by default would cut off the sides of a page. Both encoders stay as they
    are in training, again as published.

    References
    ----------
    .. [1] Lan X, et al. GEM. doi:10.48550/arXiv.2503.06073.
    """

    def __init__(self, config: DualConfig, *, encoder: Encoder | None = None, decoder: Decoder | None = None) -> None:
        super().__init__()
        if encoder is not None and encoder.config != config.signal:
            msg = f"the encoder must have the shape {config.signal}; got {encoder.config}. Give one shape to both."
            raise InputError(msg)
        self.config = config
        self.signal = encoder or Encoder(config.signal)
        self.image = ImageEncoder(config)
        self.decoder: Decoder = decoder or ByteDecoder(config.width, config.depth, config.heads, context=config.context)
        self.signal_projector = Linear(config.signal.width, config.image_width)
        self.projector = nn.Sequential(
            Linear(config.image_width, self.decoder.width), nn.GELU(), Linear(self.decoder.width, self.decoder.width)
        )
        for module in (self.signal, self.image):
            module.requires_grad_(requires_grad=False)

    def see(self, sight: Sight) -> Seen:
        """Turn recordings into what the encoders make of them, before any layer that is trained.

        Parameters
        ----------
        sight : Sight
            Signals and pictures.

        Returns
        -------
        Seen
        """
        self.signal.eval()
        with torch.no_grad():
            tokens = self.signal(sight.signal).unflatten(1, (self.config.n_signal_tokens, -1)).mean(dim=2)
            return Seen(tokens, self.image(sight.image))

    def project(self, seen: Seen) -> Tensor:
        """Bring what was seen into the decoder's space.

        Parameters
        ----------
        seen : Seen
            Of `see`.

        Returns
        -------
        Tensor, shape (batch, n_signal_tokens + n_image_tokens, decoder width)
        """
        out: Tensor = self.projector(torch.cat([self.signal_projector(seen.signal), seen.image], dim=1))
        return out


def new_dual(config: DualConfig, *, seed: int, encoder: Encoder | None = None) -> DualEncoder:
    """Draw a dual encoder with the small decoder.

    Parameters
    ----------
    config : DualConfig
        Its shape.
    seed : int
        Of the weights.
    encoder : Encoder, optional
        One that was pre-trained.

    Returns
    -------
    DualEncoder
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DualEncoder(config, encoder=encoder)


def shrink(pixels: Tensor, config: DualConfig) -> Tensor:
    """Shrink a picture to what the model is shown, whole.

    Parameters
    ----------
    pixels : Tensor, shape (height, width) or (height, width, channels)
        0 black to 1 white; of three channels the lightest counts, which keeps the black trace and pales the red grid; a
        fourth is not looked at.
    config : DualConfig
        Height and width wanted.

    Returns
    -------
    Tensor, shape (height, width)
        Each pixel the mean of those it stands for.

    Examples
    --------
    >>> shrink(torch.ones(256, 512, 3), TINY).shape
    torch.Size([128, 256])
    """
    grey = pixels if pixels.ndim == 2 else pixels[:, :, :3].amax(dim=2)
    return F.interpolate(grey[None, None].float(), size=config.image, mode="area")[0, 0]
