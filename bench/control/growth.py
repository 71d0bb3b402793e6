"""How much more a thing costs in a larger cloud."""

from collections.abc import Iterator, Sequence

from bench.figure import Figure, at_most

GROWTH = 1.3
"""Times that what a port costs may grow from the smallest cloud to the largest."""
EACH = ("CPU a port", "CPU an entry", "memory a port", "sent")
"""What is of one port or one change, by how the figure's name ends."""


def growth(before: Sequence[Figure], after: Sequence[Figure]) -> Iterator[Figure]:
    """Ratios of figures of two sizes that are of one port, one entry or one change."""
    known = {figure.name.partition(": ")[2]: figure for figure in before}
    for figure in after:
        size, _, what = figure.name.partition(": ")
        small = known.get(what)
        if small is not None and what.endswith(EACH) and small.value:
            how = f"{figure.value:,.4g} {figure.unit} beside {small.value:,.4g}"
            name = f"{what}, growth from {small.name.partition(': ')[0]} to {size}"
            yield Figure(name, figure.value / small.value, "times", how, at_most(GROWTH))
