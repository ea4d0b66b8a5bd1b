"""The language side of the dual encoder: a small causal transformer over bytes, and a large one by its name."""

import twelvelead.encode  # noqa: F401 - first, since it says which extra is missing

# isort: split
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.encode.block import Mlp
from twelvelead.encode.linear import Linear
from twelvelead.terms import InputError, MissingExtra

N_BYTES, BEGIN, END = 256, 256, 257
Cache = list[tuple[Tensor, Tensor]]


class Decoder(Protocol):
    """What the dual encoder needs of a language model."""

    width: int
    end: int
    context: int

    def write(self, text: str) -> list[int]:
        """Turn text into tokens."""

    def read(self, tokens: Sequence[int]) -> str:
        """Turn tokens into text."""

    def embed(self, tokens: Tensor) -> Tensor:
        """Turn tokens, shape (batch, n), into vectors, shape (batch, n, width)."""

    def __call__(self, vectors: Tensor, cache: Any = None) -> tuple[Tensor, Any]:  # noqa: ANN401 - its own affair
        """Give scores of each next token, shape (batch, n, n_tokens), and what is remembered of all vectors so far."""


class ByteDecoder(nn.Module):
    """A causal transformer whose tokens are the bytes of UTF-8 text.

    Parameters
    ----------
    width, depth, heads : int
        Channels per token, blocks, and heads that share the channels.
    context : int
        Most tokens, those of the ECG among them.

    Raises
    ------
    InputError
        If the heads can't share the channels, or a number is not positive.

    Examples
    --------
    >>> decoder = ByteDecoder(16, 1, 2, context=32)
    >>> decoder.read(decoder.write("QTc 410 ms"))
    'QTc 410 ms'
    """

    def __init__(self, width: int, depth: int, heads: int, *, context: int) -> None:
        super().__init__()
        if min(width, depth, heads, context) < 1 or width % heads:
            msg = f"sizes must be 1 or more, and width a multiple of heads; got {width} with {heads}. Change one."
            raise InputError(msg)
        self.width, self.end, self.context = width, END, context
        self.token = nn.Embedding(END + 1, width)
        self.position = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(_CausalBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        for table in (self.token, self.position):
            nn.init.normal_(table.weight, std=0.02)

    def write(self, text: str) -> list[int]:
        """Turn text into its bytes."""
        return list(text.encode())

    def read(self, tokens: Sequence[int]) -> str:
        """Turn bytes into text; what is no UTF-8 becomes the sign for that."""
        return bytes(token for token in tokens if token < N_BYTES).decode(errors="replace")

    def embed(self, tokens: Tensor) -> Tensor:
        """Turn tokens into vectors."""
        out: Tensor = self.token(tokens)
        return out

    def forward(self, vectors: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Give scores of each next token, and keys and values of every block."""
        before = cache[0][0].shape[2] if cache else 0
        if before + vectors.shape[1] > self.context:
            msg = f"a text and its ECG must have at most {self.context} tokens; got {before + vectors.shape[1]}. "
            msg += "Shorten the text, or train with a longer context."
            raise InputError(msg)
        x = vectors + self.position.weight[before : before + vectors.shape[1]]
        remembered = []
        for k, block in enumerate(self.blocks):
            x, own = block(x, cache[k] if cache else None)
            remembered.append(own)
        return self.norm(x) @ self.token.weight.mT, remembered


class _CausalBlock(nn.Module):
    """Attention to what came before, then two layers on each token; both are added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.proj = Linear(width, width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if before is not None:
            k, v = torch.cat([before[0], k], dim=2), torch.cat([before[1], v], dim=2)
        allowed = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=x.device).tril(k.shape[2] - q.shape[2])
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
        x = x + self.proj(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x)), (k, v)


class NamedDecoder(nn.Module):
    """A language model that the package transformers loads by its name, such as the 7-billion one that GEM begins with.

    Parameters
    ----------
    name : str
        Of the checkpoint: a folder, or one that lies in the local store already. Nothing is downloaded.
    device : str
        A GPU, as torch names it: such a model does not train on a processor.

    Raises
    ------
    InputError
        If the device is no GPU that is there, or the checkpoint isn't.
    MissingExtra
        If transformers is not installed.
    """

    def __init__(self, name: str, *, device: str) -> None:
        super().__init__()
        if not device.startswith("cuda") or not torch.cuda.is_available():
            msg = f"a language model by name needs a GPU; got device {device!r}"
            msg += (
                f" and {'a' if torch.cuda.is_available() else 'no'} GPU. Leave the name out to train the tiny decoder."
            )
            raise InputError(msg)
        model, self.tokeniser = load_named(name, device=device)
        self.model = model
        self.width = int(model.get_input_embeddings().weight.shape[1])
        self.end = int(self.tokeniser.eos_token_id)
        self.context = int(getattr(model.config, "max_position_embeddings", 4096))

    def write(self, text: str) -> list[int]:
        """Turn text into tokens."""
        return list(self.tokeniser.encode(text, add_special_tokens=False))

    def read(self, tokens: Sequence[int]) -> str:
        """Turn tokens into text."""
        return str(self.tokeniser.decode(list(tokens), skip_special_tokens=True))

    def embed(self, tokens: Tensor) -> Tensor:
        """Turn tokens into vectors."""
        out: Tensor = self.model.get_input_embeddings()(tokens)
        return out

    def forward(self, vectors: Tensor, cache: Any = None) -> tuple[Tensor, Any]:  # noqa: ANN401 - the model's own
        """Give scores of each next token, and the model's own memory."""
        dtype = self.model.get_input_embeddings().weight.dtype
        said = self.model(inputs_embeds=vectors.to(dtype), past_key_values=cache, use_cache=True)
        return said.logits.float(), said.past_key_values


def load_named(name: str, *, device: str) -> tuple[Any, Any]:
    """Load a language model and its tokeniser from this machine.

    Parameters
    ----------
    name : str
        A folder, or the name of one in the local store.
    device : str
        Where it goes; in bfloat16 on a GPU.

    Returns
    -------
    model, tokeniser
        As transformers has them.

    Raises
    ------
    MissingExtra
        If transformers is not installed.
    InputError
        If the checkpoint is not on this machine.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        msg = "a language model by name needs the package transformers, from 4.56 on; it is not installed. "
        msg += "Run: pip install 'twelvelead[language]'"
        raise MissingExtra(msg) from error
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    try:
        tokeniser = AutoTokenizer.from_pretrained(name, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(name, local_files_only=True, dtype=dtype)
    except (OSError, ValueError) as error:
        msg = f"a language model must be on this machine; got {str(error).splitlines()[0]} for {name!r}. "
        msg += "Download it first, or give its folder."
        raise InputError(msg) from error
    return model.to(device), tokeniser
