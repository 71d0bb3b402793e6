"""Random cuts and returns: pieces of a pool never overlap, and a cut is refused only where there is no room."""

from ipaddress import IPv4Network, ip_network
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netplane.api.errors import ApiError
from netplane.api.rules.prefixes import cut, cut_certain
from netplane.model import Network, Subnet, SubnetPool
from netplane.store import Store, Transaction

PREFIXES = tuple(map(IPv4Network, ("10.0.0.0/27", "10.0.0.48/28", "255.255.255.224/27")))
POOL = SubnetPool(
    id="pool",
    project_id="blue",
    prefixes=tuple(map(str, PREFIXES)),
    ip_version=4,
    min_prefixlen=8,
    max_prefixlen=32,
    default_prefixlen=30,
)
CERTAIN = [block for prefix in PREFIXES for length in (28, 29, 30, 32) for block in prefix.subnets(new_prefix=length)]


class Cut(NamedTuple):
    length: int


class CutCertain(NamedTuple):
    range: IPv4Network


class Return(NamedTuple):
    which: int


STEPS = st.lists(
    st.one_of(
        st.builds(Cut, st.sampled_from((27, 28, 29, 30, 32))),
        st.builds(CutCertain, st.sampled_from(CERTAIN)),
        st.builds(Return, st.integers(0, 100)),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_pieces(steps: list[Cut | CutCertain | Return]) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder)}/netplane.db")
        with store.write("test") as transaction:
            transaction.add(POOL)
            transaction.add(Network(id="n", vni=1))
            held: dict[str, IPv4Network] = {}
            for step, number in zip(steps, count(), strict=False):
                take(transaction, step, f"s{number}", held)
        store.close()


def take(transaction: Transaction, step: Cut | CutCertain | Return, id: str, held: dict[str, IPv4Network]) -> None:
    if isinstance(step, Return):
        if held:
            gone = sorted(held)[step.which % len(held)]
            transaction.delete(subnet(gone, held.pop(gone)))
        return
    wanted = room(step.length) if isinstance(step, Cut) else [step.range]
    free = [block for block in wanted if not any(block.overlaps(other) for other in held.values())]
    if not free:
        with pytest.raises(ApiError, match="Failed to allocate subnet"):
            chosen(transaction, step)
        return
    held[id] = found = chosen(transaction, step)
    assert found in free
    transaction.add(subnet(id, found))


def chosen(transaction: Transaction, step: Cut | CutCertain) -> IPv4Network:
    if isinstance(step, CutCertain):
        cut_certain(transaction, POOL, "blue", step.range)
        return step.range
    found = ip_network(str(cut(transaction, POOL, "blue", step.length)))
    assert isinstance(found, IPv4Network)
    return found


def room(length: int) -> list[IPv4Network]:
    """All blocks of a length."""
    return list(chain.from_iterable(one.subnets(new_prefix=length) for one in PREFIXES if one.prefixlen <= length))


def subnet(id: str, range: IPv4Network) -> Subnet:
    return Subnet(id=id, project_id="blue", network_id="n", cidr=str(range), subnetpool_id=POOL.id)
