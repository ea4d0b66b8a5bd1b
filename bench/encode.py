"""Time one step of pre-training, beside a plain loop as ECG-JEPA's code was released, at equal shape and batch.

    python bench/encode.py [--preset small] [--batch 16] [--steps 2] [--rounds 3] [--threads 1] [--device cpu]

The plain loop is written anew here from the method's description: items resampled one by one, masks of attention built
by loops on the CPU at every pass, scores of all pairs of tokens and then -inf for those not allowed, the teacher's
whole pass, the predictor's last layers on visible tokens too, the loss fetched at every step, AdamW and the teacher's
update parameter by parameter; in half precision with a scaler on a GPU. Ours is the library's step, fed from its memory
map; "torch's layers" is the same without its own product of matrices. With the recipe paper, both hide the same patches
in the same steps. The ways take turns; each way's rate is the median over rounds, and the ratio that of the medians.
Wall and processor time are both printed, as other work on the machine lengthens the first.

Before that the step's products of matrices are counted, and what of them could be left out with the same result. On a
GPU, model-FLOP utilisation is that count over --peak.
"""

import argparse
import copy
import math
import statistics
import time
from dataclasses import replace

import numpy as np
import torch
from scipy.signal import resample
from torch import nn
from torch.nn import functional as F

from twelvelead.encode import PRESETS, RECIPES, Plan, batch_rows, linear, sin_cos_table, start_training, train_step
from twelvelead.encode.pretrain import _draw
from twelvelead.study.feed import feed
from twelvelead.study.training_data import TrainingData

N_ITEMS = 64


class PlainAttention(nn.Module):
    """All scores, then what is not allowed struck out."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, x, allowed):
        """Mix tokens."""
        batch, n, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
        if allowed is not None:
            scores = scores.masked_fill(~allowed, float("-inf"))
        return self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, n, width))


class PlainBlock(nn.Module):
    """Attention and network, with branches left out at random."""

    def __init__(self, width, heads, drop):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), PlainAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = drop

    def branch(self, x):
        """Leave a branch out for some rows."""
        if not self.training or self.drop == 0:
            return x
        return x / (1 - self.drop) * (torch.rand(len(x), 1, 1, device=x.device) >= self.drop)

    def forward(self, x, allowed):
        """Return tokens of the same shape."""
        x = x + self.branch(self.attn(self.norm1(x), allowed))
        return x + self.branch(self.mlp(self.norm2(x)))


def allowed_pairs(tokens, n_times):
    """Mask of attention by loops: same lead, or same time."""
    allowed = torch.zeros(len(tokens), len(tokens), dtype=torch.bool)
    places = {}
    for i, token in enumerate(tokens):
        places.setdefault(("lead", token // n_times), []).append(i)
        places.setdefault(("time", token % n_times), []).append(i)
    for members in places.values():
        for i in members:
            allowed[i, members] = True
    return allowed


class PlainEncoder(nn.Module):
    """Patches to tokens; the mask of attention is built in every pass."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.register_buffer("positions", sin_cos_table(c.width, n_leads=c.n_leads, n_patches=c.n_patches))
        self.embed = nn.Linear(c.patch, c.width)
        drops = np.linspace(0, c.drop_path, c.depth)
        self.blocks = nn.ModuleList(PlainBlock(c.width, c.heads, float(d)) for d in drops)
        self.norm = nn.LayerNorm(c.width)

    def forward(self, x, visible=None):
        """Turn recordings into tokens."""
        c = self.c
        tokens = self.embed(x.reshape(len(x), c.n_leads * c.n_patches, c.patch))
        keep = list(range(c.n_tokens))
        if visible is not None:
            keep = [lead * c.n_patches + t for lead in range(c.n_leads) for t in visible]
        tokens, positions = tokens[:, keep], self.positions[keep]
        allowed = allowed_pairs(keep, c.n_patches).to(x.device)
        for block in self.blocks:
            tokens = block(tokens + positions, allowed)
        return self.norm(tokens)


class PlainPredictor(nn.Module):
    """Guesses lead by lead; its last layers run on visible tokens, too."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        width = c.predictor_width
        self.register_buffer("positions", sin_cos_table(width, n_leads=1, n_patches=c.n_patches))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.embed, self.norm, self.proj = nn.Linear(c.width, width), nn.LayerNorm(width), nn.Linear(width, c.width)
        drops = np.linspace(0, c.drop_path, c.predictor_depth)
        self.blocks = nn.ModuleList(PlainBlock(width, c.predictor_heads, float(d)) for d in drops)

    def forward(self, tokens, visible, masked):
        """Guess hidden tokens."""
        batch, width = len(tokens), self.c.predictor_width
        seen = self.embed(tokens).reshape(batch * self.c.n_leads, len(visible), width)
        rows = torch.cat([seen, self.mask_token.to(seen.dtype).expand(len(seen), len(masked), -1)], dim=1)
        for block in self.blocks:
            rows = block(rows + self.positions[[*visible, *masked]], None)
        return self.proj(self.norm(rows))[:, len(visible) :].reshape(batch, self.c.n_leads, len(masked), -1)


class Plain:
    """The plain loop."""

    def __init__(self, config, batch, device):
        self.config, self.batch, self.device, self.done = config, batch, device, 0
        self.encoder, self.predictor = PlainEncoder(config).to(device), PlainPredictor(config).to(device)
        self.teacher = copy.deepcopy(self.encoder).requires_grad_(requires_grad=False)
        self.trained = [*self.encoder.parameters(), *self.predictor.parameters()]
        self.optimiser = torch.optim.AdamW(self.trained, lr=5e-5, weight_decay=0.05, foreach=False)
        self.half = device.type == "cuda"
        self.scaler = torch.amp.GradScaler(enabled=self.half)
        rng = np.random.default_rng(0)
        self.items = [rng.normal(0, 0.3, (8, 4096)).astype(np.float32) for _ in range(N_ITEMS)]
        same = replace(RECIPES["paper"], batch=batch)
        self.beside = start_training(Plan(config, same, 10_000, 0), device=torch.device("cpu"))

    def mask(self):
        """Draw four blocks."""
        n, hidden = self.config.n_patches, set()
        for _ in range(4):
            length = int(n * np.random.uniform(0.175, 0.225))  # noqa: NPY002 - as a plain loop has it
            start = int(torch.randperm(n - length)[0])
            hidden |= set(range(start, start + length))
        return [t for t in range(n) if t not in hidden], sorted(hidden)

    def step(self):
        """Do one step."""
        rows = torch.randint(N_ITEMS, (self.batch,)).tolist()
        items = [torch.from_numpy(resample(self.items[row], 2500, axis=1).astype(np.float32)) for row in rows]
        x = torch.stack(items).to(self.device)
        self.mask()
        self.beside.step = self.done  # the patches that ours hides in this step; drawn as above, but counted as nothing
        visible, masked = (part[0].tolist() for part in _draw(self.beside, 1))
        with torch.autocast(self.device.type, dtype=torch.float16, enabled=self.half):
            with torch.no_grad():
                whole = F.layer_norm(self.teacher(x), (self.config.width,))
                target = whole.reshape(self.batch, self.config.n_leads, self.config.n_patches, -1)[:, :, masked]
            guess = self.predictor(self.encoder(x, visible), visible, masked)
            loss = F.smooth_l1_loss(guess, target)
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        with torch.no_grad():
            for slow, fast in zip(self.teacher.parameters(), self.encoder.parameters(), strict=True):
                slow.data.mul_(0.996).add_(0.004 * fast.detach().data)
        self.done += 1
        return loss.item()


class Ours:
    """The library's step, from its memory map."""

    def __init__(self, config, recipe, batch, device, precision="float32", *, compiled=False, own=True):
        self.recipe, self.own = replace(recipe, batch=batch), own
        plan = Plan(config, self.recipe, 10_000, 0, precision)
        self.training = start_training(plan, device=device, compiled=compiled)
        samples = np.random.default_rng(0).integers(-900, 900, (N_ITEMS, config.n_samples, config.n_leads), np.int16)
        places = np.stack([np.zeros(N_ITEMS, np.int64), np.arange(N_ITEMS)], axis=1)
        scale = np.full((N_ITEMS, config.n_leads), 1e-3, np.float32)
        self.rows = np.arange(N_ITEMS)
        data = TrainingData((samples,), places, scale, np.zeros_like(scale), self.rows, self.rows, "", by_patient=False)
        self.read = feed(data, device)

    def step(self):
        """Do one step."""
        rows = batch_rows(self.training.step, n=N_ITEMS, batch=self.recipe.batch, seed=0)
        served = linear._served
        if not self.own:
            linear._served = lambda _x, _weight: False
        try:
            return train_step(self.training, self.read(rows))
        finally:
            linear._served = served


def work(config, n_visible, views=1, *, plain=False):
    """Floating-point operations per recording and step in products of matrices: 2 per multiply-add, backward twice."""

    def blocks(width, depth, tokens, keys):
        return depth * tokens * (24 * width**2 + 4 * width * keys)

    def keys(n_times):
        return c.n_leads * n_times if plain else n_times + c.n_leads - 1

    c, n, n_masked = config, config.n_patches, config.n_patches - n_visible
    teacher = blocks(c.width, c.depth, c.n_tokens, keys(n)) + 2 * c.n_tokens * c.patch * c.width
    context = blocks(c.width, c.depth, c.n_leads * n_visible, keys(n_visible))
    guess = blocks(c.predictor_width, c.predictor_depth, c.n_leads * n, n)
    guess += 2 * c.n_leads * (n_visible + (n if plain else n_masked)) * c.width * c.predictor_width
    return teacher + 3 * views * (context + guess)


def unused(config, n_visible):
    """Of these, what the last blocks of teacher and predictor do for tokens that nobody asks for."""
    seen = config.n_leads * n_visible
    return seen * 20 * (config.width**2 + 3 * config.predictor_width**2)


def count(config):
    """Print how much of the plain step could be left out."""
    n_visible = 22.6  # of 50, the mean of the released code's four blocks
    plain, ours, rest = work(config, n_visible, plain=True), work(config, n_visible), unused(config, n_visible)
    print(
        f"GFLOP per recording: plain {plain / 1e9:.1f}, ours {ours / 1e9:.1f} ({plain / ours:.2f} x), of which "
        f"{rest / 1e9:.1f} are the last blocks' for tokens that nobody asks for ({plain / (ours - rest):.2f} x without)"
    )


def rate(way, batch, steps, device):
    """Measure recordings per second of wall time, and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        way.step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return steps * batch / (time.perf_counter() - wall), steps * batch / (time.process_time() - cpu)


def ways(arguments, device):
    """Name all that is timed."""
    config, batch, sound = PRESETS[arguments.preset], arguments.batch, RECIPES["sound"]
    best = "bfloat16" if device.type == "cuda" else "float32"
    named = {
        "plain loop as released": (Plain(config, batch, device), 1),
        "ours, paper, torch's layers": (Ours(config, RECIPES["paper"], batch, device, best, own=False), 1),
        f"ours, recipe paper, {best}": (Ours(config, RECIPES["paper"], batch, device, best), 1),
        f"ours, recipe sound, {best}": (Ours(config, sound, batch, device, best), 1),
        f"ours, sound, 4 views, {best}": (Ours(config, replace(sound, views=4), batch, device, best), 4),
    }
    if device.type == "cpu":
        named["ours, recipe paper, bfloat16"] = (Ours(config, RECIPES["paper"], batch, device, "bfloat16"), 1)
        named["ours, recipe sound, bfloat16"] = (Ours(config, sound, batch, device, "bfloat16"), 1)
    if arguments.compile:
        named[f"ours, sound, {best}, compiled"] = (Ours(config, sound, batch, device, best, compiled=True), 1)
    return named


def main():
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peak", type=float, default=989e12, help="of the GPU, FLOP/s in bfloat16")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    count(PRESETS[arguments.preset])
    named = ways(arguments, device)
    for way, _ in named.values():
        rate(way, arguments.batch, 1, device)  # warm
    spent = {name: [] for name in named}
    for _ in range(arguments.rounds):
        for name, (way, _) in named.items():
            spent[name].append(rate(way, arguments.batch, arguments.steps, device))
    middle = {name: [statistics.median(column) for column in zip(*rates, strict=True)] for name, rates in spent.items()}
    plain = middle["plain loop as released"]
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{arguments.threads} thread(s)"
    print(f"{arguments.preset}, batch {arguments.batch}, torch {torch.__version__}, {where}")
    print(f"{'':38} ECG/s    x   ECG/cpu-s    x   masked views/s")
    for name, (wall, cpu) in middle.items():
        views = named[name][1]
        line = f"{name:36} {wall:8.2f} {wall / plain[0]:5.2f} {cpu:9.2f} {cpu / plain[1]:6.2f} {views * wall:12.2f}"
        if device.type == "cuda" and name != "plain loop as released":
            hidden = 0.55 if "paper" in name else 0.75
            n_visible = math.floor(PRESETS[arguments.preset].n_patches * (1 - hidden))
            used = wall * work(PRESETS[arguments.preset], n_visible, views) / arguments.peak
            line += f"   MFU {100 * used:.0f} %"
        print(line)


if __name__ == "__main__":
    main()
