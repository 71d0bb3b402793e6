"""Where a port stands, and its endpoint."""

import pytest
from msgspec.structs import replace

from netplane.base.addresses import pack_address
from netplane.interest.placement import Placement, place
from netplane.model import ROUTER_INTERFACE, Binding, Endpoint, FixedIP, Host, Identity, Network, Port
from tests.unit.interest.world import H1, RED, WEB, bound, machine

A, A_ON_H1 = bound(machine("a", RED, 1), H1)


def endpoint(identity: int = WEB.number, addresses: tuple[bytes, ...] = (pack_address("10.0.0.1"),)) -> Endpoint:
    mac = b"\2\0\0\0\0\1"
    return Endpoint.of("a", vni=RED.vni, mac=mac, addresses=addresses, identity=identity, host=H1.number)


ENDPOINT = endpoint()


def test_a_port_stands_where_it_is_bound() -> None:
    assert place(A, A_ON_H1, H1, RED, WEB) == Placement("red", "h1", WEB, ENDPOINT)


@pytest.mark.parametrize(
    ("port", "binding", "host", "network"),
    [
        (None, A_ON_H1, H1, RED),
        (A, None, H1, RED),
        (A, A_ON_H1, None, RED),
        (A, A_ON_H1, H1, None),
        (replace(A, device_owner=ROUTER_INTERFACE), A_ON_H1, H1, RED),
        (replace(A, mac_address="no MAC"), A_ON_H1, H1, RED),
        (A, A_ON_H1, replace(H1, number=1 << 32), RED),
    ],
)
def test_a_port_that_lacks_something_stands_nowhere(
    port: Port | None, binding: Binding | None, host: Host | None, network: Network | None
) -> None:
    assert place(port, binding, host, network, WEB) is None


@pytest.mark.parametrize(
    ("port", "identity", "endpoint"),
    [
        (A, None, endpoint(identity=0)),
        (replace(A, fixed_ips=()), WEB, endpoint(addresses=())),
        (replace(A, fixed_ips=(FixedIP("s", "no address"), *A.fixed_ips)), WEB, ENDPOINT),
    ],
)
def test_what_cannot_be_told_is_left_out(port: Port, identity: Identity | None, endpoint: Endpoint) -> None:
    placement = place(port, A_ON_H1, H1, RED, identity)
    assert placement is not None
    assert placement.endpoint == endpoint
