"""Which versions there are, of this API and of the network's, for clients that begin with nothing but an address."""

from typing import Any

from netplane.api.identity.service import Asked, Identity, Told

MEDIA = "application/vnd.openstack.identity-v3+json"


def version(_identity: Identity, asked: Asked) -> Told:
    """`GET /v3`."""
    return Told(200, {"version": _version(asked.base)})


def versions(_identity: Identity, asked: Asked) -> Told:
    """`GET /identity`."""
    return Told(300, {"versions": {"values": [_version(f"{asked.root}/identity/v3")]}})


def everything(_identity: Identity, asked: Asked) -> Told:
    """`GET /`: an address alone leads to both APIs; who logs in takes the one with the higher number."""
    network = {"rel": "self", "href": f"{asked.root}/v2.0/"}
    both = [_version(asked.base), {"id": "v2.0", "status": "CURRENT", "links": [network]}]
    return Told(300, {"versions": {"values": both}})


def _version(base: str) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base}/"}],
        "media-types": [{"base": "application/json", "type": MEDIA}],
    }
