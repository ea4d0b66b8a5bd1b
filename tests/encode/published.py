"""The published state dicts by their names and shapes, written down from what was published; drawn values."""

import torch


def _batch_norm(name, n):
    floats = {f"{name}.{part}": (n,) for part in ("weight", "bias", "running_mean", "running_var")}
    return floats | {f"{name}.num_batches_tracked": ()}


def resnet18_shapes():
    """Of MERL's `res18_best_encoder.pth`: a flat dict, with a last layer that was never used."""
    shapes = {"conv1.weight": (64, 12, 7)} | _batch_norm("bn1", 64)
    n_in = 64
    for layer, n in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            stem = f"layer{layer}.{block}"
            shapes |= {f"{stem}.conv1.weight": (n, n_in, 3), f"{stem}.conv2.weight": (n, n, 3)}
            shapes |= _batch_norm(f"{stem}.bn1", n) | _batch_norm(f"{stem}.bn2", n)
            if layer > 1 and block == 0:
                shapes |= {f"{stem}.shortcut.0.weight": (n, n_in, 1)} | _batch_norm(f"{stem}.shortcut.1", n)
            n_in = n
    return shapes | {"linear.weight": (10, 512), "linear.bias": (10,)}


def net1d_shapes():
    """Of ECGFounder's `12_lead_ECGFounder.pth`, below `state_dict`: 150 classes at the end."""
    shapes = {"first_conv.conv.weight": (64, 12, 16), "first_conv.conv.bias": (64,)} | _batch_norm("first_bn", 64)
    n_in = 64
    for stage, (n, n_blocks) in enumerate(
        zip((64, 160, 160, 400, 400, 1024, 1024), (2, 2, 2, 3, 3, 4, 4), strict=True)
    ):
        for block in range(n_blocks):
            stem = f"stage_list.{stage}.block_list.{block}"
            shapes |= _batch_norm(f"{stem}.bn1", n_in) | _batch_norm(f"{stem}.bn2", n) | _batch_norm(f"{stem}.bn3", n)
            for conv, shape in (("conv1", (n, n_in, 1)), ("conv2", (n, 16, 16)), ("conv3", (n, n, 1))):
                shapes |= {f"{stem}.{conv}.conv.weight": shape, f"{stem}.{conv}.conv.bias": (n,)}
            shapes |= {f"{stem}.se_fc1.weight": (n // 2, n), f"{stem}.se_fc1.bias": (n // 2,)}
            shapes |= {f"{stem}.se_fc2.weight": (n, n // 2), f"{stem}.se_fc2.bias": (n,)}
            n_in = n
    return shapes | {"dense.weight": (150, 1024), "dense.bias": (150,)}


def drawn(shapes, *, seed):
    """Values of a size that neither vanishes nor grows through the layers."""
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            out[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            out[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            size = (torch.Size(shape).numel() / shape[0]) ** -0.5 if len(shape) > 1 else 0.1
            values = torch.randn(shape, generator=generator) * size
            is_gain = len(shape) == 1 and name.endswith("weight")
            out[name] = values + 1 if is_gain else values
    return out
