"""The classical system as the registry knows it."""

from shellac.systems.base import NetworkCard, System

_LICENCE = "MIT"

# name: (steps, when to use it, source)
STEPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "classical/full": (
        ("declick", "dethump", "dehum", "denoise"),
        "clicks, hum and hiss, and no weights at hand; the baseline for all that is learned",
        "the four steps below",
    ),
    "classical/declick": (
        ("declick",),
        "clicks alone: what is no click stays bit for bit",
        "Vaseghi and Rayner, 1990; Janssen, Veldhuis and Vries, 1986",
    ),
    "classical/dethump": (
        ("declick", "dethump"),
        "clicks, and the thumps that follow large ones",
        "Godsill and Rayner, 1998",
    ),
    "classical/dehum": (("dehum",), "mains hum alone, where there is any", "signal model"),
    "classical/denoise": (
        ("denoise",),
        "steady hiss alone",
        "Ephraim and Malah, 1984 and 1985; Martin, 2001; Plapous et al., 2006",
    ),
    "classical/extend": (
        ("extend",),
        "after the others, where treble ends early: fills it with a copy of the octave below",
        "band copy, 18 dB an octave",
    ),
}

SYSTEM = System(
    name="classical",
    task="clicks, hum and hiss removed by signal models, at any sample rate, without weights",
    default_network="classical/full",
    networks={
        name: NetworkCard(
            name=name,
            sample_rate=None,
            parameters=0,
            use_when=use_when,
            source=source,
            licence=_LICENCE,
        )
        for name, (_, use_when, source) in STEPS.items()
    },
    build=None,
)
