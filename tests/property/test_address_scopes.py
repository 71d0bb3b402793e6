"""Random pools of a scope: one is refused exactly when it has an address of another, whatever came and went before."""

from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from netplane.api.rules.prefixes import collapse, is_met
from netplane.model import AddressScope, SubnetPool
from netplane.model.prefixes import prefix_claim, scope_space
from netplane.store import Store, Transaction

SPACE = IPv4Network("255.255.255.192/26")
RANGES = [block for length in (27, 28, 30, 32) for block in SPACE.subnets(new_prefix=length)]
STEPS = st.lists(st.tuples(st.integers(0, 5), st.lists(st.sampled_from(RANGES), max_size=6)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from((1, 3, 100)))
def test_pools_of_a_scope_are_apart(steps: list[tuple[int, list[IPv4Network]]], window: int) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder)}/netplane.db")
        with store.write("test") as transaction:
            transaction.add(AddressScope(id="s", ip_version=4))
            for which, ranges in steps:
                change(transaction, f"p{which}", ranges, window)
        store.close()


def change(transaction: Transaction, id: str, ranges: list[IPv4Network], window: int) -> None:
    """The pool gets these ranges, or goes if there are none, unless another is in the way."""
    before = transaction.get(SubnetPool, id)
    if not ranges:
        if before is not None:
            transaction.delete(before)
        return
    after = pool(id, ranges)
    others = [IPv4Network(prefix) for one in transaction.list(SubnetPool) if one.id != id for prefix in one.prefixes]
    held = () if before is None else before.prefixes
    new = [prefix for prefix in after.prefixes if prefix not in held]
    own = set(map(prefix_claim, held))
    expected = any(other.overlaps(range) for other in others for range in ranges)
    assert is_met(transaction.reader, scope_space("s"), 4, new, own, window) == expected
    if not expected:
        transaction.put(after)


def pool(id: str, ranges: list[IPv4Network]) -> SubnetPool:
    prefixes = tuple(map(str, collapse(ranges)))
    return SubnetPool(
        id=id,
        prefixes=prefixes,
        ip_version=4,
        default_prefixlen=30,
        min_prefixlen=8,
        max_prefixlen=32,
        address_scope_id="s",
    )
