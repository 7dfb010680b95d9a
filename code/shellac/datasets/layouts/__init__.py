"""Where the recordings lie in each published layout, and what its tables say of them."""

from collections.abc import Callable

from shellac.datasets.index import Found
from shellac.datasets.layouts import collections, fma, tables
from shellac.datasets.layouts.request import Request

LAYOUTS: dict[str, Callable[[Request], list[Found]]] = {
    "maestro": tables.maestro,
    "musicnet": tables.musicnet,
    "gramophone_noise": tables.gramophone_noise,
    "beethoven": collections.beethoven,
    "beethoven_arrays": collections.beethoven_arrays,
    "gtzan": collections.gtzan,
    "vctk": collections.vctk,
    "vocalset": collections.vocalset,
    "singing": collections.singing,
    "fma": fma.published,
    "fma_inpainting": fma.inpainting,
}
