"""What ``params.yaml`` says under ``gain``."""

from shellac.config import Strict
from shellac.training.settings import LoopSettings


class GainSettings(Strict):
    """Where from, and how long."""

    corpora: list[str]
    roles: list[str]
    networks: dict[str, dict]
    training: LoopSettings

    def network_class(self, name: str) -> str:
        """Return the registered name of an entry."""
        return "gain/one"


MODEL = GainSettings
