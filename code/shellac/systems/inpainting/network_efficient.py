"""A U-Net over the encoder of EfficientNet-B0 (Tan and Le, 2019), both in Keras' layout."""

from collections.abc import Sequence

from torch import Tensor, nn

from shellac.systems.inpainting.blocks import ChannelAttention, ConvUnit, Join
from shellac.systems.inpainting.network_ladder import EncoderDecoder
from shellac.systems.inpainting.network_plan import Plan

# repeats, width, stride, kernel, expansion
STAGES = (
    (1, 16, 1, 3, 1),
    (2, 24, 2, 3, 6),
    (2, 40, 2, 5, 6),
    (3, 80, 2, 3, 6),
    (3, 112, 1, 5, 6),
    (4, 192, 2, 5, 6),
    (1, 320, 1, 3, 6),
)
STEM, TOP = 32, 1280
SKIPS = (1, 2, 3, 5)  # stages whose first expansion is a skip, top first
DECODER = (512, 256, 128, 64, 32)
INPUT_SCALE = 255


class MBConv(nn.Module):
    """Inverted bottleneck: expand, convolve by channel, attend, project; its input added."""

    def __init__(self, source: int, width: int, stride: int, kernel: int, expansion: int):
        super().__init__()
        inner = source * expansion
        unit = {"act": "swish", "bias": False}
        self.expand = ConvUnit(source, inner, 1, **unit) if expansion > 1 else nn.Identity()
        self.depthwise = ConvUnit(inner, inner, kernel, stride, groups=inner, **unit)
        self.attention = ChannelAttention(inner, max(1, source // 4), "swish")
        self.project = ConvUnit(inner, width, 1, act="linear", bias=False)
        self.residual = stride == 1 and source == width

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output and the expanded input."""
        expanded = self.expand(x)
        y = self.project(self.attention(self.depthwise(expanded)))
        return (y + x if self.residual else y), expanded


class EfficientEncoder(nn.Module):
    """Return the map at a 32nd of the resolution and the skips, top first; None at the very top."""

    def __init__(self, plan: Plan):
        super().__init__()
        source = plan.of(STEM)
        self.stem = ConvUnit(plan.inputs, source, 3, 2, act="swish", bias=False)
        self.stages = nn.ModuleList()
        for repeats, channels, stride, kernel, expansion in STAGES:
            blocks, width = [], plan.of(channels)
            for i in range(repeats):
                blocks.append(MBConv(source, width, 1 if i else stride, kernel, expansion))
                source = width
            self.stages.append(nn.ModuleList(blocks))
        self.top = ConvUnit(source, plan.of(TOP), 1, act="swish", bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor | None]]:
        """Encode (B, C, N, F)."""
        x = self.stem(x / INPUT_SCALE)
        skips: list[Tensor | None] = [None]
        for number, stage in enumerate(self.stages):
            for i, block in enumerate(stage):
                x, expanded = block(x)
                if i == 0 and number in SKIPS:
                    skips.append(expanded)
        return self.top(x), skips


def efficient(plan: Plan, *, decoder: Sequence[int] = DECODER) -> EncoderDecoder:
    """Build the network with ``decoder`` widths, bottom first."""
    skips = [STAGES[number][4] * plan.of(STAGES[number - 1][1]) for number in SKIPS[::-1]] + [0]
    source, ups, joins, units = plan.of(TOP), [], [], []
    for skip, width in zip(skips, map(plan.of, decoder), strict=True):
        ups.append(ConvUnit(source, width, 4, 2, transposed=True, bias=False))
        joins.append(Join("concat_below_first" if skip else "none"))
        units.append(ConvUnit(width + skip, width))
        source = width
    head = ConvUnit(source, plan.outputs, norm=False, act="linear")
    return EncoderDecoder(EfficientEncoder(plan), nn.Identity(), None, ups, joins, units, head)
