"""Clouds to measure with: how one looks (`description`), one of a given size (`shape`), and one in a store (`stored`).

A description knows nothing of netplane, so that other systems are filled with the very same cloud.
"""

from bench.cloud.description import Cloud, Group, Host, Network, Port, Project, Router, Rule
from bench.cloud.shape import Shape, build

__all__ = ["Cloud", "Group", "Host", "Network", "Port", "Project", "Router", "Rule", "Shape", "build"]
