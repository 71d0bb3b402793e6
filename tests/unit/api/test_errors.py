"""What the store refuses, in clients' words."""

import pytest

from netplane.api.errors import from_store, in_use, not_found
from netplane.api.rules.macs import check_mac
from netplane.model import SecurityGroup
from netplane.store import Conflict, Exhausted, InUse, Missing, StoreError

CASES = [
    (Conflict("mac:n", "fa:16:3e:00:00:01", "p"), 409, "MacAddressInUse", "fa:16:3e:00:00:01"),
    (Conflict("address:s", "0a000002", "p"), 409, "IpAddressInUse", "10.0.0.2"),
    (Conflict("rule:g", "x", "r"), 409, "SecurityGroupRuleExists", "g"),
    (Conflict("default-group", "blue", "g"), 409, "SecurityGroupDefaultAlreadyExists", "Default"),
    (Conflict("vni", "7", "n"), 409, "Conflict", "7"),
    (Missing("p", "network_id", "n"), 404, "NotFound", "n"),
    (Exhausted("vni"), 409, "NoMoreValues", "vni"),
    (InUse("n", "port", "p", "network_id"), 409, "Conflict", "n"),
]


@pytest.mark.parametrize(("error", "status", "type", "words"), CASES)
def test_refusals(error: StoreError, status: int, type: str, words: str) -> None:
    refusal = from_store(error)
    assert (refusal.status, refusal.type) == (status, type)
    assert words in refusal.message


def test_names() -> None:
    assert not_found(SecurityGroup, "g").body == {
        "NeutronError": {
            "type": "SecurityGroupNotFound",
            "message": "Security group g could not be found.",
            "detail": "",
        }
    }
    assert in_use(SecurityGroup, "g", InUse("g", "identity", "i", "groups")).type == "SecurityGroupInUse"


def test_macs() -> None:
    assert check_mac("AA-bb-CC-00-11-22") == "aa:bb:cc:00:11:22"
