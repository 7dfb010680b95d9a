"""The instruments of the ensembles: for each name a way to draw one that nobody else has.

The figures follow what is commonly measured: bowed strings fall by about 6 dB per octave under a
body of a dozen resonances, brass brightens by 20 dB and more from soft to loud, a clarinet's low
register lacks even harmonics, double reeds have formants (oboe near 1.1 and 2.7 kHz, bassoon near
0.5 kHz); see Fletcher and Rossing, The Physics of Musical Instruments (1998), chapters 10 to 17.
"""

from dataclasses import dataclass, replace

import numpy as np

from shellac.datasets.synthesis.plucked import Pluck
from shellac.datasets.synthesis.tones import Timbre

PIANO, DRUMS = "piano", "drums"


@dataclass(frozen=True)
class _Family:
    """What is common to the makes of an instrument; ranges are drawn from."""

    fall_db: tuple[float, float]
    soft_db: float
    corner_hz: tuple[float, float]
    low_hz: float
    attack_seconds: float
    release_seconds: float
    vibrato: tuple[float, float]  # Hz, cents
    breath: tuple[float, float]  # dB, Hz
    even_db: float = 0.0
    scoop_cents: float = 0.0
    drift_cents: float = 3.0
    formants: tuple[tuple[float, float, float], ...] = ()  # Hz, Q, dB
    body_modes: int = 0  # more resonances, anywhere from 250 Hz to 7 kHz
    players: int = 1
    ranks: tuple[tuple[int, float], ...] = ((1, 0.0),)


_BOWED = _Family((4.5, 6.5), 5.0, (3500, 7000), 180.0, 0.07, 0.12, (5.8, 18.0), (-35.0, 2500.0),
                 formants=((480.0, 12.0, 3.0), (2600.0, 2.0, 5.0)), body_modes=16)  # fmt: skip
_BRASS = _Family((2.5, 4.5), 14.0, (2200, 4200), 160.0, 0.045, 0.07, (5.2, 7.0), (-42.0, 1500.0),
                 scoop_cents=60.0, formants=((1200.0, 2.0, 5.0),), body_modes=2)  # fmt: skip
_REED = _Family((4.0, 6.0), 6.0, (3000, 6000), 130.0, 0.035, 0.06, (5.0, 8.0), (-30.0, 2800.0),
                scoop_cents=20.0, body_modes=4)  # fmt: skip
_PIPE = _Family((5.0, 8.0), 0.0, (1600, 4500), 40.0, 0.06, 0.1, (0.1, 0.0), (-31.0, 3500.0),
                drift_cents=1.0, body_modes=3, players=2,
                ranks=((1, 0.0), (2, -3.0), (4, -7.0), (6, -14.0), (8, -12.0)))  # fmt: skip

_FAMILIES: dict[str, _Family] = {
    "violin": _BOWED,
    "second violin": _BOWED,
    "fiddle": replace(_BOWED, attack_seconds=0.045, vibrato=(5.5, 8.0), breath=(-26.0, 3000.0)),
    "viola": replace(_BOWED, low_hz=130.0, formants=((220.0, 10.0, 3.0), (1800.0, 2.0, 4.0))),
    "cello": replace(_BOWED, low_hz=65.0, formants=((110.0, 8.0, 3.0), (1500.0, 2.0, 4.0)),
                     vibrato=(5.2, 16.0)),
    "cornet": _BRASS,
    "second cornet": _BRASS,
    "trumpet": replace(_BRASS, fall_db=(1.5, 3.0), corner_hz=(3000, 5500)),
    "muted trumpet": replace(_BRASS, fall_db=(0.5, 2.0), low_hz=700.0, corner_hz=(4000, 7000),
                             formants=((1900.0, 3.0, 10.0),)),
    "horn": replace(_BRASS, corner_hz=(900, 1600), low_hz=90.0, formants=((500.0, 2.0, 4.0),)),
    "french horn": replace(_BRASS, corner_hz=(800, 1500), low_hz=80.0, vibrato=(4.5, 3.0),
                           attack_seconds=0.07, formants=((450.0, 2.0, 5.0),)),
    "baritone": replace(_BRASS, corner_hz=(900, 1800), low_hz=70.0, formants=((600.0, 2.0, 4.0),)),
    "tuba": replace(_BRASS, corner_hz=(500, 1000), low_hz=35.0, vibrato=(4.5, 3.0),
                    formants=((250.0, 2.0, 4.0),)),
    "saxophones": replace(_REED, players=3, formants=((750.0, 2.5, 5.0), (1800.0, 3.0, 4.0)),
                          vibrato=(5.2, 16.0), fall_db=(3.0, 4.5)),
    "alto saxophone": replace(_REED, formants=((900.0, 2.5, 5.0), (2400.0, 3.0, 3.0)),
                              vibrato=(5.2, 18.0), fall_db=(3.0, 4.5)),
    "tenor saxophone": replace(_REED, formants=((600.0, 2.5, 5.0), (1500.0, 3.0, 4.0)),
                               vibrato=(5.0, 20.0), fall_db=(2.5, 4.5), breath=(-34.0, 2200.0)),
    "clarinet": replace(_REED, even_db=-22.0, vibrato=(4.8, 3.0), fall_db=(3.5, 5.5)),
    "oboe": replace(_REED, formants=((1100.0, 4.0, 9.0), (2700.0, 5.0, 6.0)), fall_db=(2.0, 3.5),
                    low_hz=300.0),
    "bassoon": replace(_REED, formants=((480.0, 4.0, 9.0), (1150.0, 4.0, 4.0)), low_hz=60.0,
                       corner_hz=(1800, 3200)),
    "flute": replace(_REED, fall_db=(9.0, 13.0), corner_hz=(4000, 9000), breath=(-22.0, 3500.0),
                     vibrato=(5.0, 14.0), attack_seconds=0.06, scoop_cents=0.0),
    "principal": _PIPE,
    "flutes": replace(_PIPE, fall_db=(10.0, 14.0), even_db=-12.0, ranks=((1, 0.0), (2, -6.0)),
                      breath=(-27.0, 3500.0)),
    "tenor pipes": replace(_PIPE, ranks=((1, 0.0), (2, -3.0), (3, -12.0), (4, -9.0))),
    "pedal": replace(_PIPE, corner_hz=(900, 2500), low_hz=25.0, ranks=((1, 0.0), (2, -4.0))),
}  # fmt: skip

LEVEL_DB = {  # of a part in the mix, where it is not 0
    "second violin": -3.0, "viola": -3.0, "second cornet": -4.0, "horn": -7.0, "baritone": -4.0,
    "alto saxophone": -4.0, "banjo": -9.0, "drums": -9.0, "piano": 2.0, "flutes": -3.0,
    "tenor pipes": -4.0, "guitar": -4.0, "second guitar": -3.0, "french horn": -5.0,
    "oboe": -3.0, "bassoon": -3.0, "tuba": -1.0, "clarinet": -3.0,
}  # fmt: skip


def is_plucked(name: str) -> bool:
    """Return whether :func:`draw_pluck` knows the instrument."""
    return name in _PLUCKED


def draw_timbre(name: str, rng: np.random.Generator) -> Timbre:
    """Draw a bowed or blown instrument by its name."""
    family = _FAMILIES[name]
    resonances = [
        (
            hz * rng.uniform(0.88, 1.14),
            quality * rng.uniform(0.8, 1.3),
            gain_db + rng.normal(0, 1.5),
        )
        for hz, quality, gain_db in family.formants
    ]
    for hz in 250.0 * (7000.0 / 250.0) ** rng.random(family.body_modes):
        resonances.append((hz, rng.uniform(6.0, 22.0), rng.uniform(-8.0, 3.0)))
    vibrato_hz, vibrato_cents = family.vibrato
    breath_db, breath_hz = family.breath
    return Timbre(
        fall_db=float(rng.uniform(*family.fall_db)),
        soft_db=family.soft_db * float(rng.uniform(0.7, 1.2)),
        corner_hz=float(rng.uniform(*family.corner_hz)),
        low_hz=family.low_hz,
        even_db=family.even_db * float(rng.uniform(0.7, 1.1)),
        resonances=tuple(resonances),
        attack_seconds=family.attack_seconds * float(rng.uniform(0.75, 1.3)),
        release_seconds=family.release_seconds,
        vibrato_hz=vibrato_hz * float(rng.uniform(0.88, 1.14)),
        vibrato_cents=vibrato_cents * float(rng.uniform(0.5, 1.5)),
        scoop_cents=family.scoop_cents,
        drift_cents=family.drift_cents,
        breath_db=breath_db + float(rng.uniform(-5.0, 4.0)),
        breath_hz=breath_hz * float(rng.uniform(0.7, 1.4)),
        players=family.players,
        spread_cents=float(rng.uniform(2.0, 6.0)),
        ranks=family.ranks,
    )


@dataclass(frozen=True)
class _PluckedFamily:
    """Plucked instruments of one kind."""

    hardness_hz: tuple[float, float]
    loss: float
    damping: float
    modes_hz: tuple[float, float]  # air and top
    course_cents: float = 0.0
    scratch_db: float = -30.0
    damper_seconds: float = 0.06


_PLUCKED: dict[str, _PluckedFamily] = {
    "guitar": _PluckedFamily((1800, 4500), 0.9, 0.7, (100.0, 205.0)),
    "second guitar": _PluckedFamily((1500, 3500), 0.9, 0.7, (100.0, 205.0)),
    "mandolin": _PluckedFamily((3500, 6500), 2.2, 0.8, (200.0, 420.0), 5.0, -26.0),
    "banjo": _PluckedFamily((3500, 6000), 5.0, 1.2, (300.0, 620.0), 0.0, -25.0),
    "plucked bass": _PluckedFamily((900, 2200), 2.2, 1.8, (62.0, 105.0), 0.0, -34.0, 0.09),
}  # fmt: skip


def draw_pluck(name: str, a4_hz: float, rng: np.random.Generator) -> Pluck:
    """Draw a plucked instrument by its name."""
    family = _PLUCKED[name]
    air_hz, top_hz = family.modes_hz
    resonances = [
        (air_hz * rng.uniform(0.9, 1.12), 7.0, 4.0),
        (top_hz * rng.uniform(0.9, 1.12), 8.0, 5.0),
    ]
    for hz in top_hz * 1.6 * (12.0) ** rng.random(10):
        resonances.append((hz, rng.uniform(6.0, 18.0), rng.uniform(-8.0, 4.0)))
    return Pluck(
        a4_hz=a4_hz,
        position=float(rng.uniform(0.1, 0.27)),
        hardness_hz=float(rng.uniform(*family.hardness_hz)),
        stiffness=float(rng.uniform(2e-5, 9e-5)),
        loss=family.loss * float(rng.uniform(0.7, 1.5)),
        damping=family.damping * float(rng.uniform(0.7, 1.4)),
        course_cents=family.course_cents,
        scratch_db=family.scratch_db + float(rng.uniform(-4.0, 4.0)),
        resonances=tuple(resonances),
        damper_seconds=family.damper_seconds,
    )
