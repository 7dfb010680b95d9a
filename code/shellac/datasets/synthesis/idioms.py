"""The eight idioms of the synthesised ensembles; their names are the genres."""

from shellac.datasets.synthesis.arranging import Idiom
from shellac.datasets.synthesis.figures import Part
from shellac.datasets.synthesis.score import PROGRESSIONS

_MAJOR, _OLD, _ANY = ("major",), ("major", "harmonic minor", "dorian"), ("major", "minor", "dorian")
_TURNS = ((1, 4, 0, 5), (1, 4, 0, 0), (0, 5, 1, 4), (3, 6, 2, 5), (0, 3, 0, 4))
_RAGS = ((0, 0, 4, 4), (2, 5, 1, 4), (0, 5, 1, 4), (3, 3, 0, 5), (1, 4, 0, 0))
_CADENCES = ((0, 4, 5, 2), (3, 0, 1, 4), (0, 3, 4, 0), (5, 1, 4, 0), (0, 1, 4, 5), (2, 5, 3, 4))
_TUNES = ((0, 0, 3, 4), (0, 4, 0, 4), (0, 3, 0, 4), (0, 5, 3, 4), (0, 6, 3, 0))

IDIOMS: dict[str, Idiom] = {
    "string-quartet": Idiom(
        (66, 132), (3, 4), _OLD, PROGRESSIONS, 1,
        (
            Part("violin", ("held",), 60, 93, 1.0),
            Part("second violin", ("pulse",), 55, 81, 0.7),
            Part("viola", ("counter",), 50, 74, 0.75),
            Part("cello", ("bass",), 36, 62, 0.85),
        ),
        rubato=(0.05, 0.16), leaders=("violin", "violin", "cello", "viola"),
    ),
    "brass-band": Idiom(
        (92, 126), (4, 3), _MAJOR, _RAGS + PROGRESSIONS[:5], 1,
        (
            Part("cornet", ("melody",), 62, 84, 1.0),
            Part("second cornet", ("second",), 57, 78, 0.75),
            Part("horn", ("offbeat",), 50, 69, 0.65, 0.7),
            Part("baritone", ("counter",), 46, 67, 0.8),
            Part("tuba", ("two-beat",), 29, 48, 0.9, 0.8),
            Part("drums", ("drums: march",), 0, 127, 0.7),
        ),
    ),
    "dance-band": Idiom(
        (108, 168), (4,), _MAJOR, _TURNS, 1,
        (
            Part("saxophones", ("held",), 50, 74, 0.75),
            Part("alto saxophone", ("second",), 53, 77, 0.75),
            Part("trumpet", ("comp",), 58, 82, 0.9, 0.7),
            Part("banjo", ("strum",), 50, 72, 0.6),
            Part("plucked bass", ("two-beat",), 28, 50, 0.9),
            Part("drums", ("drums: dance",), 0, 127, 0.8),
        ),
        swing=0.1, leaders=("trumpet", "saxophones"),
    ),
    "ragtime-trio": Idiom(
        (80, 112), (4,), _MAJOR, _RAGS, 1,
        (
            Part("piano", ("stride", "ragged"), 60, 91, 0.9, 0.8),
            Part("clarinet", ("melody",), 62, 89, 0.8),
            Part("plucked bass", ("two-beat",), 28, 50, 0.85),
        ),
        melody_rate=(1.2, 2.2), rubato=(0.01, 0.05),
    ),
    "organ-chorale": Idiom(
        (54, 84), (3, 4), _OLD, _CADENCES, 2,
        (
            Part("principal", ("melody",), 60, 84, 1.0, 0.97),
            Part("flutes", ("held",), 55, 76, 0.75, 0.97),
            Part("tenor pipes", ("held",), 48, 67, 0.75, 0.97),
            Part("pedal", ("bass",), 31, 50, 0.9, 0.97),
        ),
        melody_rate=(0.6, 1.1), rubato=(0.03, 0.12),
    ),
    "folk-strings": Idiom(
        (84, 138), (3, 4), _ANY, _TUNES, 1,
        (
            Part("mandolin", ("arpeggio",), 55, 88, 0.9),
            Part("guitar", ("strum",), 40, 67, 0.7),
            Part("fiddle", ("counter",), 55, 86, 0.8, 0.9),
            Part("second guitar", ("two-beat",), 40, 60, 0.8),
        ),
        melody_rate=(1.2, 2.4), leaders=("mandolin", "fiddle"),
    ),
    "wind-quintet": Idiom(
        (72, 138), (3, 4), _ANY, PROGRESSIONS, 1,
        (
            Part("flute", ("held",), 64, 96, 0.9, 0.9),
            Part("oboe", ("second",), 60, 86, 0.8, 0.9),
            Part("clarinet", ("arpeggio",), 52, 86, 0.75, 0.8),
            Part("french horn", ("held",), 45, 72, 0.75),
            Part("bassoon", ("two-beat",), 36, 65, 0.85, 0.6),
        ),
        rubato=(0.04, 0.14), leaders=("flute", "oboe", "clarinet", "bassoon"),
    ),
    "swing-combo": Idiom(
        (112, 192), (4,), _ANY, _TURNS, 2,
        (
            Part("tenor saxophone", (), 48, 77, 1.0, 0.85),
            Part("muted trumpet", (), 57, 82, 0.9, 0.85),
            Part("piano", ("comp",), 52, 74, 0.6, 0.7),
            Part("plucked bass", ("walk",), 28, 52, 0.9),
            Part("drums", ("drums: swing",), 0, 127, 0.7),
        ),
        melody_rate=(1.0, 2.2), swing=0.16, rubato=(0.0, 0.03),
        leaders=("tenor saxophone", "muted trumpet", "piano"),
    ),
}  # fmt: skip

GENRES = tuple(IDIOMS)
