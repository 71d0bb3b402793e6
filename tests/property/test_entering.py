"""Hosts enter and leave domains while these join and part, many at once: what each is told leads to its slice."""

from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from netplane.interest import Interest
from netplane.model import (
    ROUTER_INTERFACE,
    Binding,
    Change,
    Host,
    Identity,
    Network,
    Port,
    Record,
    Router,
    SecurityGroupRule,
)
from tests.property.test_interest import by_key
from tests.unit.interest.world import deletes, led, upserts

HOSTS = ("h1", "h2", "h3")
NETWORKS = ("n0", "n1", "n2")
IDENTITIES = ("i0", "i1")
WORLD: tuple[Record, ...] = (
    *(Host(id=host, number=number, address=host) for number, host in enumerate(HOSTS, 1)),
    *(Network(id=network, vni=number) for number, network in enumerate(NETWORKS, 1)),
    *(Router(id=f"r{number}", number=number) for number in range(2)),
    *(Identity(id=id, number=number, groups=(f"g{number}",)) for number, id in enumerate(IDENTITIES, 1)),
    *(SecurityGroupRule(id=f"u{number}", security_group_id=f"g{number}", direction="egress") for number in (1, 2)),
)


def change(record: Record, *, keep: bool) -> list[Change]:
    return upserts(record) if keep else deletes(record)


def stands(id: int, network: str, host: str, identity: str) -> list[Change]:
    """A machine stands on a network, on a host."""
    port = Port(id=f"p{id}", network_id=network, mac_address="02:00:00:00:00:01", identity_id=identity)
    return upserts(port, Binding(id=port.id, host_id=host))


def goes(id: int, host: str, keep: bool) -> list[Change]:
    """It goes to another host, or from all."""
    return change(Binding(id=f"p{id}", host_id=host), keep=keep)


def leads(id: int, network: str, keep: bool) -> list[Change]:
    """A router leads to a network, or does no more."""
    port = Port(
        id=f"x{id}",
        network_id=network,
        mac_address="02:00:00:00:01:00",
        device_owner=ROUTER_INTERFACE,
        device_id=f"r{id % 2}",
    )
    return change(port, keep=keep)


NETWORK, HOST, MACHINE = st.sampled_from(NETWORKS), st.sampled_from(HOSTS), st.integers(0, 5)
STEP = st.one_of(
    st.builds(stands, MACHINE, NETWORK, HOST, st.sampled_from(["", *IDENTITIES])),
    st.builds(goes, MACHINE, HOST, st.booleans()),
    st.builds(leads, st.integers(0, 3), NETWORK, st.booleans()),
)
BATCH = st.lists(STEP, min_size=1, max_size=8).map(lambda steps: list(chain.from_iterable(steps)))


@settings(max_examples=600)
@given(st.lists(BATCH, min_size=1, max_size=5))
def test_what_hosts_are_told_of_many_changes_at_once_leads_to_their_slices(batches: list[list[Change]]) -> None:
    interest = Interest()
    interest.load(WORLD, 0)
    held = {host: by_key(interest.slice(host)) for host in HOSTS}
    for batch in batches:
        for host, delta in interest.apply(batch).items():
            held[host] = led(held[host], delta)
        assert held == {host: by_key(interest.slice(host)) for host in HOSTS}
