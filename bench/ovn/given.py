"""A second bar: what OVN 26.03 needed on a machine like the one this was planned for. Given, not measured here."""

WHERE = "OVN 26.03, given"
PROJECTS, PORTS, HOSTS, REAL = 1_000, 10, 20, 4
"""The size at which it was seen: projects, ports of each, hosts, and how many of these were real."""

SIZE = (
    f"{WHERE}: {PROJECTS:,} projects x {PORTS} ports, {REAL} real hosts of {HOSTS}; goals are for a cloud of that size."
)

COLD_SECONDS = 143.0
COLD_CPU = 242.0
SOUTHBOUND, NORTHD, CONTROLLER = 1_500.0, 1_100.0, 1_000.0
"""The most memory of each process, in MiB."""
FLOWS = 431_000.0
"""On a host."""
ADDED_MEDIAN, ADDED_WORST = 530.0, 700.0
"""Milliseconds from a port's creation to its flows: the median and the 99th percentile."""
RESTART = 50.0
"""Seconds of a controller's restart."""
