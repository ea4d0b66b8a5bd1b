"""A grouped residual network with gates for the channels, with the names and shapes of the published ECGFounder."""

from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.terms import InputError

WIDTHS = (64, 160, 160, 400, 400, 1024, 1024)
BLOCKS = (2, 2, 2, 3, 3, 4, 4)
KERNEL = 16
PER_GROUP = 16  # channels


class _Conv(nn.Module):
    """A convolution of which n samples give ceil(n / stride), zeros on both sides, the odd one on the right."""

    def __init__(self, n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv1d(n_in, n_out, kernel, stride=stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        lacking = max(0, (-(-n // self.stride) - 1) * self.stride + self.kernel - n)
        out: Tensor = self.conv(F.pad(x, (lacking // 2, lacking - lacking // 2)))
        return out


class _Block(nn.Module):
    """Narrow, wide and narrow convolution, each after a swish; a gate for each channel; added to what came in.

    The batch normalisations are in the published file but not in the published network's path, which was trained
    without: they stand here so that the file loads whole, and are not called.
    """

    def __init__(self, n_in: int, n_out: int, *, stride: int, is_first: bool) -> None:
        super().__init__()
        self.stride, self.is_first = stride, is_first
        self.bn1 = nn.BatchNorm1d(n_in)
        self.conv1 = _Conv(n_in, n_out, 1)
        self.bn2 = nn.BatchNorm1d(n_out)
        self.conv2 = _Conv(n_out, n_out, KERNEL, stride=stride, groups=n_out // PER_GROUP)
        self.bn3 = nn.BatchNorm1d(n_out)
        self.conv3 = _Conv(n_out, n_out, 1)
        self.se_fc1 = nn.Linear(n_out, n_out // 2)
        self.se_fc2 = nn.Linear(n_out // 2, n_out)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(x if self.is_first else F.silu(x))
        out = self.conv3(F.silu(self.conv2(F.silu(out))))
        gate = self.se_fc2(F.silu(self.se_fc1(out.mean(dim=2)))).sigmoid()
        kept = x
        if self.stride > 1:
            kept = F.max_pool1d(F.pad(x, ((self.stride - 1) // 2, self.stride // 2)), self.stride)
        more = out.shape[1] - x.shape[1]
        joined: Tensor = out * gate[:, :, None] + F.pad(kept, (0, 0, more // 2, more - more // 2))
        return joined


class _Stage(nn.Module):
    """Blocks of one width; the first halves the samples."""

    def __init__(self, n_in: int, n_out: int, n_blocks: int, *, is_first: bool) -> None:
        super().__init__()
        self.block_list = nn.ModuleList(
            _Block(n_in if i == 0 else n_out, n_out, stride=2 if i == 0 else 1, is_first=is_first and i == 0)
            for i in range(n_blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block_list:
            x = block(x)
        return x


class Net1D(nn.Module):
    """The network of ECGFounder [1]_ without its last layer: 30.7 million parameters, 1,024 channels.

    Parameters
    ----------
    n_leads : int
        Rows of its input. Published are 12 leads at 500 Hz, 10 s.

    References
    ----------
    .. [1] Li J, et al. An electrocardiogram foundation model built on over 10 million recordings.
       doi:10.48550/arXiv.2410.04133

    Examples
    --------
    >>> sum(p.numel() for p in Net1D(12).parameters())
    30665264
    """

    def __init__(self, n_leads: int = 12) -> None:
        super().__init__()
        self.n_leads = n_leads
        self.first_conv = _Conv(n_leads, WIDTHS[0], KERNEL, stride=2)
        self.first_bn = nn.BatchNorm1d(WIDTHS[0])  # as in the blocks: in the file, not in the path
        n_in = (WIDTHS[0], *WIDTHS)
        self.stage_list = nn.ModuleList(
            _Stage(n_in[i], width, n_blocks, is_first=i == 0)
            for i, (width, n_blocks) in enumerate(zip(WIDTHS, BLOCKS, strict=True))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Turn recordings of shape (batch, n_leads, n_samples) into maps of shape (batch, 1024, n_samples / 256)."""
        if x.ndim != 3 or x.shape[1] != self.n_leads:
            msg = f"this encoder's input must be of shape (batch, {self.n_leads}, n_samples); got {tuple(x.shape)}. "
            msg += "Give all its leads."
            raise InputError(msg)
        x = F.silu(self.first_conv(x))
        for stage in self.stage_list:
            x = stage(x)
        return x

    def represent(self, x: Tensor) -> Tensor:
        """Turn each recording into one vector, the mean over time; shape (batch, 1024)."""
        return self.forward(x).mean(dim=2)
