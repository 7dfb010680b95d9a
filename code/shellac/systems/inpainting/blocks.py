"""What the inpainting networks are made of.

Maps are (B, C, N, F): frames by bins. Layouts follow TensorFlow, in which the networks were
published (TeleMidia/audio_reconstruction): where "same" padding or cropping is odd, the odd one
goes after.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.01  # of the new value; Keras calls it 0.99
# from this side on: oneDNN doubles maps up to three times as fast where both ends are cut alike,
# which a row and a column of zeros before them allow
_EVEN_FROM = 8


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after so that ``ceil(length / stride)`` values come out."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def activate(x: Tensor, act: str, inplace: bool = False) -> Tensor:
    """Apply ``linear``, ``relu``, ``swish``, ``sigmoid`` or ``leaky`` with its slope after it."""
    if act == "relu":
        return functional.relu(x, inplace)
    if act.startswith("leaky"):
        return functional.leaky_relu(x, float(act.removeprefix("leaky")), inplace)
    if act == "swish":
        return functional.silu(x)
    return torch.sigmoid(x) if act == "sigmoid" else x


class Norm(nn.Module):
    """Batch normalisation with epsilon 1e-3.

    ``batch`` False is what was published: stored statistics in training too, which leaves a
    trainable gain and offset per channel. True normalises by the batch in training.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.batch = False
        self.weight, self.bias = (nn.Parameter(torch.empty(channels)) for _ in range(2))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    def reset(self) -> None:
        """Set gain 1, offset 0, mean 0, variance 1."""
        with torch.no_grad():
            for value, start in zip(
                (*self.parameters(), *self.buffers()), (1, 0, 0, 1), strict=True
            ):
                value.fill_(start)

    @property
    def stored(self) -> bool:
        """Whether the stored statistics are used, so that a convolution before can do the work."""
        return not (self.batch and self.training)

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return gain and offset per channel of normalisation by the stored statistics."""
        gain = self.weight * torch.rsqrt(self.running_var + NORM_EPSILON)
        return gain, self.bias - self.running_mean * gain

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, N, F) by the batch, and remember its statistics."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, True, NORM_MOMENTUM,
            NORM_EPSILON,
        )  # fmt: skip


class Slopes(nn.Module):
    """PReLU with one slope per channel, or per channel and position of maps of one size."""

    def __init__(self, channels: int, shape: tuple[int, int] = (1, 1)):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, *shape))

    def forward(self, x: Tensor) -> Tensor:
        """Scale the negative values of (B, C, N, F)."""
        return torch.where(x > 0, x, self.weight * x)


class ConvUnit(nn.Module):
    """(pre-activation ->) convolution -> normalisation -> activation, each but one optional.

    Without ``transposed`` there come out ``ceil(n / stride)`` frames and bins, with it ``n *
    stride``. ``slopes`` puts a :class:`Slopes` in the place of the activation: None for none, or
    the shape of its maps.
    """

    def __init__(
        self, source: int, width: int, kernel: int = 3, stride: int = 1, *, norm: bool = True,
        act: str = "relu", pre: str = "linear", transposed: bool = False, bias: bool = True,
        groups: int = 1, slopes: tuple[int, int] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.kernel, self.stride, self.act, self.pre = kernel, stride, act, pre
        self.transposed = transposed
        self.padded = not transposed and (stride > 1 or kernel % 2 == 0)
        self.cropped = transposed and kernel > stride and (kernel - stride) % 2 == 1
        if transposed:
            cut, fill = max(kernel - stride, 0) // 2, max(stride - kernel, 0)
            self.conv = nn.ConvTranspose2d(
                source, width, kernel, stride, cut, output_padding=fill, bias=bias
            )
        else:
            cut = 0 if self.padded else kernel // 2
            self.conv = nn.Conv2d(source, width, kernel, stride, cut, groups=groups, bias=bias)
        self.norm = Norm(width) if norm else None
        self.slopes = None if slopes is None else Slopes(width, slopes)

    def forward(self, x: Tensor) -> Tensor:
        """Compute (B, source, n, m) -> (B, width, n', m')."""
        x = activate(x, self.pre)
        if self.padded:
            before, after = same_padding(x.shape[2], self.kernel, self.stride)
            left, right = same_padding(x.shape[3], self.kernel, self.stride)
            x = functional.pad(x, (left, right, before, after))
        y = self._convolve(x)
        if self.norm is not None and not self.norm.stored:
            y = self.norm(y)
        if self.slopes is not None:
            return self.slopes(y)
        # in place of a part, autograd would copy the whole
        return activate(y, self.act, not (self.cropped and torch.is_grad_enabled()))

    def _convolve(self, x: Tensor) -> Tensor:
        """Convolve, and normalise by scaled weights where that needs no statistics of the batch."""
        conv, (weight, bias) = self.conv, self.folded()
        if self.transposed:
            return self._enlarged(x, weight, bias)
        return functional.conv2d(x, weight, bias, conv.stride, conv.padding, 1, conv.groups)

    def _enlarged(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve transposed: (B, source, n, m) -> (B, width, n * stride, m * stride)."""
        conv, (frames, bins) = self.conv, (side * self.stride for side in x.shape[2:])
        if (self.kernel, self.stride) == (3, 2) and min(x.shape[2:]) >= _EVEN_FROM:
            x = functional.pad(x, (1, 0, 1, 0))
            y = functional.conv_transpose2d(x, weight, bias, 2, 1, 1)[:, :, 1:, 1:]
        else:
            y = functional.conv_transpose2d(
                x, weight, bias, conv.stride, conv.padding, conv.output_padding
            )
        return y[:, :, :frames, :bins] if self.cropped else y

    def folded(self) -> tuple[Tensor, Tensor | None]:
        """Return the convolution's weight and bias with normalisation by stored statistics in them.

        Scaling weights instead of maps saves a pass over the maps, forward and backward.
        """
        weight, bias = self.conv.weight, self.conv.bias
        if self.norm is None or not self.norm.stored:
            return weight, bias
        gain, offset = self.norm.factors()
        shape = (1, -1, 1, 1) if self.transposed else (-1, 1, 1, 1)
        return weight * gain.view(shape), offset if bias is None else offset + bias * gain

    def fold(self) -> None:
        """Keep the folded convolution alone, for inference."""
        with torch.no_grad():
            weight, bias = self.folded()
        if self.norm is not None:
            self.conv.weight, self.conv.bias = nn.Parameter(weight), nn.Parameter(bias)
            self.norm = None


def bottleneck_up(source: int, width: int) -> nn.Sequential:
    """Return the up-step of LinkNet: to a quarter of the channels, up by 2, to ``width``."""
    quarter = max(1, source // 4)
    return nn.Sequential(
        ConvUnit(source, quarter, 1),
        ConvUnit(quarter, quarter, 4, 2, transposed=True),
        ConvUnit(quarter, width, 1),
    )


class Gate(nn.Module):
    """Attention gate: scale a skip by what it and the map from below say together.

    ``sigmoid(conv(relu(conv(skip) + conv(below))))``, all 1x1, of one channel or of as many as
    the skip has. Oktay et al., "Attention U-Net" (2018), here at one resolution.
    """

    def __init__(self, skip: int, below: int, channels: int):
        super().__init__()
        self.skip = nn.Conv2d(skip, skip, 1)
        self.below = nn.Conv2d(below, skip, 1)
        self.both = nn.Conv2d(skip, channels, 1)

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Return the scaled skip, (B, skip, n, m)."""
        both = self.both((self.skip(skip) + self.below(below)).relu_())
        return skip * both.sigmoid_()


class Join(nn.Module):
    """Bring a skip and the map from below together: skip -> side -> gate -> concatenate or add."""

    def __init__(
        self,
        kind: Literal["concat", "concat_below_first", "add", "none"],
        side: nn.Module | None = None,
        gate: Gate | None = None,
    ):
        super().__init__()
        self.kind, self.side, self.gate = kind, side, gate

    def forward(self, skip: Tensor | None, below: Tensor) -> Tensor:
        """Return the joined map; ``skip`` is not looked at where the kind is ``none``."""
        if self.kind == "none":
            return below
        if self.side is not None:
            skip = self.side(skip)
        if self.gate is not None:
            skip = self.gate(skip, below)
        if self.kind == "add":
            return skip + below
        return torch.cat((below, skip) if self.kind == "concat_below_first" else (skip, below), 1)


class ChannelAttention(nn.Module):
    """Squeeze and excitation: scale every channel by the means of all (Hu et al., 2018)."""

    def __init__(self, channels: int, inner: int, act: str = "relu"):
        super().__init__()
        self.act = act
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.excite = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale (B, C, n, m)."""
        means = x.mean((2, 3), keepdim=True)
        return x * self.excite(activate(self.squeeze(means), self.act)).sigmoid_()


class ResUnit(nn.Module):
    """Convolutions, then channel attention, plus their input, then an activation.

    An input of other width than the output (the first of a stack) counts with its first channel,
    the spectrogram, broadcast.
    """

    def __init__(
        self, body: nn.Sequential, attention: nn.Module | None, act: str, equal_width: bool
    ):
        super().__init__()
        self.body, self.attention, self.act, self.equal_width = body, attention, act, equal_width

    def forward(self, x: Tensor) -> Tensor:
        """Compute (B, C, N, F) -> (B, C', N, F)."""
        y = self.body(x)
        if self.attention is not None:
            y = self.attention(y)
        return activate(y + (x if self.equal_width else x[:, :1]), self.act, inplace=True)


class LatentNeck(nn.Module):
    """Variational neck: map -> mean and log-variance -> sample -> map.

    ``size`` is (channels, frames, bins) of the map; it is flattened with channels last.
    ``sampled`` False leaves the map as it is, so that mean and log-variance serve a loss alone.
    """

    def __init__(
        self, size: tuple[int, int, int], hidden: int, latent: int, hidden_act: str,
        out_act: str, sampled: bool,
    ):  # fmt: skip
        super().__init__()
        values = size[0] * size[1] * size[2]
        self.hidden_act, self.out_act, self.latent = hidden_act, out_act, latent
        self.hidden = nn.Linear(values, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.out = nn.Linear(latent, values) if sampled else None

    def forward(
        self, x: Tensor, eps: Tensor | torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the map, mean and log-variance, both (B, latent).

        ``eps`` (B, latent) is the standard-normal draw, a generator to draw it from, or None for
        zero: the sample is then the mean.
        """
        flat = x.permute(0, 2, 3, 1)
        hidden = activate(self.hidden(flat.flatten(1)), self.hidden_act)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        if self.out is None:
            return x, mean, log_variance
        z = mean
        if isinstance(eps, torch.Generator):
            eps = torch.randn(mean.shape, generator=eps, device=eps.device)
        if eps is not None:
            if eps.shape != mean.shape:
                raise ValueError(f"eps has shape {tuple(eps.shape)}, not {tuple(mean.shape)}")
            z = mean + eps.to(mean) * torch.exp(log_variance / 2)
        y = activate(self.out(z), self.out_act)
        return y.view(flat.shape).permute(0, 3, 1, 2), mean, log_variance
