"""Which of several processes this one is, as torchrun tells them; one, where nobody says."""

import os


def count() -> int:
    """How many processes train one network together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def number() -> int:
    """Which of them this is, from 0; the first does all the writing and printing."""
    return int(os.environ.get("RANK", "0")) if count() > 1 else 0


def local_number() -> int:
    """Which of those on this machine this is, from 0: the number of its CUDA device."""
    return int(os.environ.get("LOCAL_RANK", "0")) if count() > 1 else 0
