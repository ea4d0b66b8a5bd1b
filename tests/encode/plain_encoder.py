"""The method once more, from its description alone: tensors by name, loops for the pattern, float64, nothing shared.

Attention is the plain one over all pairs of tokens, with pairs outside the pattern struck out before the softmax.
"""

import math

import torch

BLOCK = {
    "norm1.weight": ("w",),
    "norm1.bias": ("w",),
    "norm2.weight": ("w",),
    "norm2.bias": ("w",),
    "attn.qkv.weight": ("3w", "w"),
    "attn.proj.weight": ("w", "w"),
    "attn.proj.bias": ("w",),
    "mlp.fc1.weight": ("4w", "w"),
    "mlp.fc1.bias": ("4w",),
    "mlp.fc2.weight": ("w", "4w"),
    "mlp.fc2.bias": ("w",),
}


def block_shapes(prefix, *, width, depth):
    size = {"w": width, "3w": 3 * width, "4w": 4 * width}
    return {f"{prefix}.blocks.{i}.{n}": tuple(size[s] for s in d) for i in range(depth) for n, d in BLOCK.items()}


def encoder_shapes(config):
    """Names and shapes of the published encoder."""
    w, t = config.width, config.patch
    outer = {"pos_embed": (config.n_leads * config.n_patches, w), "W_P.weight": (w, t), "W_P.bias": (w,)}
    norm = {"norm.weight": (w,), "norm.bias": (w,)}
    return outer | norm | block_shapes("encoder_blocks", width=w, depth=config.depth)


def predictor_shapes(config):
    w, p = config.width, config.predictor_width
    outer = {
        "mask_token": (1, 1, p),
        "pos_embed": (config.n_patches, p),
        "predictor_embed.weight": (p, w),
        "predictor_embed.bias": (p,),
        "predictor_norm.weight": (p,),
        "predictor_norm.bias": (p,),
        "predictor_proj.weight": (w, p),
        "predictor_proj.bias": (w,),
    }
    return outer | block_shapes("predictor_blocks", width=p, depth=config.predictor_depth)


def table(width, n_leads, n_patches):
    """Positions by scalar arithmetic: first half the patch, second the lead; sines, then cosines."""
    quarter = width // 4
    rows = []
    for lead in range(n_leads):
        for patch in range(n_patches):
            row = []
            for place in (patch, lead):
                angles = [place * (1 / 10000 ** (j / quarter)) for j in range(quarter)]
                row += [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
            rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


def drawn(shapes, *, seed, positions):
    """Random weights of a trained network's size, float32: large enough that attention is far from even."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        scale = 1.5 / math.sqrt(shape[-1]) if len(shape) == 2 else 0.3
        state[name] = torch.randn(shape, generator=generator) * scale
        if "norm" in name and name.endswith("weight"):
            state[name] += 1
    return state | {"pos_embed": positions.float()}


def norm(x, state=None, name=None):
    centred = x - x.mean(-1, keepdim=True)
    x = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
    return x if state is None else x * state[f"{name}.weight"] + state[f"{name}.bias"]


def block(x, state, name, *, heads, allowed):
    width = x.shape[2]
    h = norm(x, state, f"{name}.norm1") @ state[f"{name}.attn.qkv.weight"].T
    d = width // heads
    mixed = []
    for head in range(heads):
        q, k, v = (h[..., part * width + head * d : part * width + (head + 1) * d] for part in range(3))
        score = q @ k.transpose(1, 2) / math.sqrt(d)
        if allowed is not None:
            score = score.masked_fill(~allowed, -math.inf)
        weight = torch.exp(score - score.max(-1, keepdim=True).values)
        mixed.append(weight / weight.sum(-1, keepdim=True) @ v)
    x = x + torch.cat(mixed, -1) @ state[f"{name}.attn.proj.weight"].T + state[f"{name}.attn.proj.bias"]
    h = norm(x, state, f"{name}.norm2") @ state[f"{name}.mlp.fc1.weight"].T + state[f"{name}.mlp.fc1.bias"]
    h = h * 0.5 * (1 + torch.erf(h / math.sqrt(2)))
    return x + h @ state[f"{name}.mlp.fc2.weight"].T + state[f"{name}.mlp.fc2.bias"]


def encode(x, state, config, *, rows, visible):
    """Tokens of one recording: x (rows, samples) -> (rows * visible, width), all in float64."""
    tokens, positions, places = [], [], []
    for i, lead in enumerate(rows):
        for patch in visible:
            piece = x[i, patch * config.patch : (patch + 1) * config.patch]
            tokens.append(state["W_P.weight"] @ piece + state["W_P.bias"])
            positions.append(state["pos_embed"][lead * config.n_patches + patch])
            places.append((lead, patch))
    allowed = torch.tensor([[a[0] == b[0] or a[1] == b[1] for b in places] for a in places])
    h, positions = torch.stack(tokens)[None], torch.stack(positions)
    for i in range(config.depth):
        h = block(h + positions, state, f"encoder_blocks.blocks.{i}", heads=config.heads, allowed=allowed)
    return norm(h, state, "norm")[0]


def predict(tokens, state, config, *, visible, masked):
    """Guesses for one recording: (leads * visible, width) -> (leads, masked, width)."""
    h = (tokens @ state["predictor_embed.weight"].T + state["predictor_embed.bias"]).reshape(
        -1, len(visible), config.predictor_width
    )
    positions = state["pos_embed"][[*visible, *masked]]
    guesses = []
    for lead in h:
        row = torch.cat([lead, state["mask_token"][0].expand(len(masked), -1)])[None]
        for i in range(config.predictor_depth):
            name = f"predictor_blocks.blocks.{i}"
            row = block(row + positions, state, name, heads=config.predictor_heads, allowed=None)
        row = norm(row, state, "predictor_norm") @ state["predictor_proj.weight"].T + state["predictor_proj.bias"]
        guesses.append(row[0, len(visible) :])
    return torch.stack(guesses)


def loss(x, states, config, *, visible, masked, recipe):
    """Mean distance over recordings; `states` of encoder, teacher and predictor; one mask per recording."""
    rows = range(config.n_leads)
    full = [encode(one, states["teacher"], config, rows=rows, visible=range(config.n_patches)).detach() for one in x]
    targets = torch.stack([one.reshape(config.n_leads, config.n_patches, -1) for one in full])
    targets = norm(targets) if recipe.target == "token" else centre(targets)
    parts = []
    for record, target, seen, hidden in zip(x, targets, visible.tolist(), masked.tolist(), strict=True):
        tokens = encode(record, states["encoder"], config, rows=rows, visible=seen)
        error = (predict(tokens, states["predictor"], config, visible=seen, masked=hidden) - target[:, hidden]).abs()
        parts.append((error if recipe.loss == "l1" else torch.where(error < 1, error**2 / 2, error - 0.5)).mean())
    return torch.stack(parts).mean()


def centre(tokens):
    """Tokens (recordings, leads, patches, width): less their mean at each place, then each channel of variance 1."""
    out = torch.empty_like(tokens)
    for lead in range(tokens.shape[1]):
        for patch in range(tokens.shape[2]):
            out[:, lead, patch] = tokens[:, lead, patch] - sum(tokens[:, lead, patch]) / len(tokens)
    for channel in range(tokens.shape[3]):
        out[..., channel] /= (out[..., channel] ** 2).mean() ** 0.5
    return out
