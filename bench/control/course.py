"""The course of a run: all figures of each size, one after the other."""

from collections.abc import Iterator

from bench.control import cold, cost, latency, restarts, saturation
from bench.control.growth import growth
from bench.control.profile import PROFILES, Profile
from bench.control.site import open_site
from bench.figure import Figure


def figures(sizes: str = "small") -> Iterator[Figure]:
    """All figures of each size, and their growth from one ordinary cloud to the next.

    KeyError if there is no such size.
    """
    before: list[Figure] = []
    for profile in [PROFILES[name] for name in sizes.split(",")]:
        found = []
        for figure in measure(profile):
            found.append(figure)
            yield figure
        if profile.is_ordinary:
            yield from growth(before, found)
            before = found


def measure(profile: Profile) -> Iterator[Figure]:
    """All figures of one size."""
    with open_site(profile) as (running, filled):
        yield from cold.figures(running, filled)
        yield from latency.figures(running)
        yield from saturation.figures(running)
        yield from restarts.figures(running)
        yield from cost.figures(running)
