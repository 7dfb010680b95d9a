"""Doubling as a member of a chain."""

from shellac import networks, weights
from shellac.systems.restorer import Member


def member(state, card, device):
    """Return what multiplies."""
    network = networks.build(card.network)
    weights.fill(network, state, card.network)
    return Member(card, network.eval().to(device), 1, device)
