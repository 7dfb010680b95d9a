"""Every published data set that the systems were trained or tested on."""

from shellac.datasets.catalogue import fma, music, singing, speech_and_noise
from shellac.datasets.catalogue.entry import DataSet

CATALOGUE: dict[str, DataSet] = {
    entry.name: entry
    for module in (music, fma, speech_and_noise, singing)
    for entry in module.ENTRIES
}
