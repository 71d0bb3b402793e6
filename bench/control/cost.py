"""What one change costs without any other beside it: bytes, records and entries, counted."""

from collections.abc import Iterator

from bench.control.changes import Tenants
from bench.control.site import Site
from bench.figure import Figure

COUNTED = 50
"""Changes of each sort."""


def figures(site: Site) -> Iterator[Figure]:
    """Bytes to all hosts together for a change of each sort."""
    tenants = Tenants(site.api(), site.cloud, seed=11)
    for what, change in tenants.sorts.items():
        before = _counted(site)
        for _ in range(COUNTED):
            change()
            tenants.api.settle()
        octets, records, edits = ((now - then) / COUNTED for now, then in zip(_counted(site), before, strict=True))
        how = f"mean of {COUNTED}; {records:.1f} records to all hosts together, {edits:.1f} entries written or removed"
        yield Figure(f"{site.profile.name}: {what}, sent", octets, "bytes", f"{how} (where tables are kept)")


def _counted(site: Site) -> tuple[int, int, int]:
    standings = site.standings()
    return (
        sum(each.octets for each in standings),
        sum(each.records for each in standings),
        sum(each.edits for each in standings),
    )
