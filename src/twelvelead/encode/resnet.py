"""A residual network over time, eighteen layers deep, with the names and shapes of MERL's published encoder."""

import torch
from torch import Tensor, nn

from twelvelead.terms import InputError

WIDTHS = (64, 128, 256, 512)
BLOCKS = 2  # of each width


class _Block(nn.Module):
    """Two convolutions, added to what came in; `stride` of the first."""

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm1d(n_out)
        self.conv2 = nn.Conv1d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm1d(n_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv1d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm1d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


class ResNet18(nn.Module):
    """The one-dimensional ResNet-18 that MERL trains beside a text encoder [1]_.

    Parameters
    ----------
    n_leads : int
        Rows of its input.

    Notes
    -----
    Against the network for pictures: kernels along time alone, no pooling after the first convolution. Published are
    12 leads at 500 Hz, 10 s.

    References
    ----------
    .. [1] Liu C, et al. Zero-shot ECG classification with multimodal learning and test-time clinical knowledge
       enhancement. doi:10.48550/arXiv.2403.06659

    Examples
    --------
    >>> ResNet18(12).eval().represent(torch.zeros(1, 12, 5000)).shape
    torch.Size([1, 512])
    """

    def __init__(self, n_leads: int = 12) -> None:
        super().__init__()
        self.n_leads = n_leads
        self.conv1 = nn.Conv1d(n_leads, WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm1d(WIDTHS[0])
        n_in = WIDTHS[0]
        for number, width in enumerate(WIDTHS, start=1):
            first = _Block(n_in, width, stride=1 if number == 1 else 2)
            rest = [_Block(width, width, stride=1) for _ in range(BLOCKS - 1)]
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            n_in = width

    def forward(self, x: Tensor) -> Tensor:
        """Turn recordings of shape (batch, n_leads, n_samples) into maps of shape (batch, 512, n_samples / 16)."""
        if x.ndim != 3 or x.shape[1] != self.n_leads:
            msg = f"this encoder's input must be of shape (batch, {self.n_leads}, n_samples); got {tuple(x.shape)}. "
            msg += "Give all its leads."
            raise InputError(msg)
        x = torch.relu(self.bn1(self.conv1(x)))
        for number in range(1, len(WIDTHS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x

    def represent(self, x: Tensor) -> Tensor:
        """Turn each recording into one vector, the mean over time; shape (batch, 512)."""
        return self.forward(x).mean(dim=2)
