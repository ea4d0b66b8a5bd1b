"""What training lowers: the distance of a guessed token from what a slow copy of the encoder says it is."""

import copy

import torch
from torch import Tensor, distributed
from torch.nn import functional as F

from twelvelead.encode.config import Recipe
from twelvelead.encode.encoder import Encoder, Predictor

TINY = 1e-6  # of a variance: a lone recording differs from no other

_LOSS = {"smooth_l1": F.smooth_l1_loss, "l1": F.l1_loss}


def make_teacher(encoder: Encoder) -> Encoder:
    """Copy an encoder; the copy is never trained, it follows by `ema_update`.

    Parameters
    ----------
    encoder : Encoder
        As it is before the first step.

    Returns
    -------
    Encoder
        In evaluation mode.
    """
    return copy.deepcopy(encoder).requires_grad_(requires_grad=False).eval()


def latent_loss(
    x: Tensor,
    *,
    encoder: Encoder,
    teacher: Encoder,
    predictor: Predictor,
    visible: Tensor,
    masked: Tensor,
    recipe: Recipe,
) -> Tensor:
    """Measure how well the hidden tokens are guessed from the visible ones.

    Parameters
    ----------
    x : Tensor, shape (batch, n_leads, n_samples)
        mV, at 250 Hz.
    encoder, predictor : Encoder, Predictor
        Trained by this.
    teacher : Encoder
        Sees everything and says what is to be guessed. Its mode is set here: it leaves out branches only if the recipe
        says so and the encoder is being trained.
    visible, masked : Tensor of int64, shape (batch * views, count)
        As `draw_masks` gives them.
    recipe : Recipe
        Its `loss`, `target` and `teacher_drop_path`.

    Returns
    -------
    Tensor, shape ()
        Mean over hidden tokens and channels.

    Notes
    -----
    The target "token" is the teacher's token brought to mean 0 and variance 1 over its channels [1]_. Most of it is
    known from the token's place: positions are added before every block. So a guess can be nearly right without a look
    at the ECG, and teacher and encoder drift together to where that is all there is. The target "centred" is the token
    less the mean over the batch of all tokens at its place, each channel brought to variance 1: what is left to guess
    is the recording, however little of a token that is. Processes that share a batch share its means.

    Where there are several masks for a recording, the teacher sees it once.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.
    """
    noisy = recipe.teacher_drop_path and encoder.training
    if teacher.training != noisy:
        teacher.train(noisy)
    views = len(visible) // len(x)
    with torch.no_grad():
        tokens = teacher(x)
        tokens = tokens.view(1, *x.shape[:2], -1, tokens.shape[-1])
        if recipe.target == "centred":
            tokens = _centre(tokens.float(), shared=encoder.training)
        target = tokens.take_along_dim(masked.reshape(views, len(x), 1, -1, 1), dim=3).flatten(0, 1)
        if recipe.target == "token":
            target = F.layer_norm(target, target.shape[-1:])
    context = encoder(x.repeat(views, 1, 1), visible=visible)
    guess = predictor(context, visible=visible, masked=masked)
    return _LOSS[recipe.loss](guess, target)


def _centre(tokens: Tensor, *, shared: bool) -> Tensor:
    """Take from tokens of shape (1, batch, n_leads, n_patches, width) the mean at each place; variance 1 by channel."""
    centred = tokens - _mean(tokens.mean(dim=1, keepdim=True), shared=shared)
    variance = _mean(centred.square().mean(dim=(1, 2, 3), keepdim=True), shared=shared)
    return centred * (variance + TINY).rsqrt()


def _mean(part: Tensor, *, shared: bool) -> Tensor:
    """Mean over the processes that share a batch, of their equal parts."""
    if shared and distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(part)
        part = part / distributed.get_world_size()
    return part


@torch.no_grad()
def ema_update(teacher: Encoder, encoder: Encoder, momentum: float) -> None:
    """Move the teacher a little towards the encoder, in place.

    Parameters
    ----------
    teacher, encoder : Encoder
        Of one shape.
    momentum : float
        Part of the teacher that stays: each parameter becomes momentum · its own + (1 - momentum) · the encoder's.
    """
    torch._foreach_lerp_(list(teacher.parameters()), list(encoder.parameters()), 1 - momentum)
