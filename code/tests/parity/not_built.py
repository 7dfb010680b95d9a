"""Model keys of parity cases that no system here computes yet: a list that shrank to nothing."""

NOT_BUILT: frozenset[str] = frozenset()
