"""The EC2 format: `/latest/meta-data/` and `/latest/user-data`, one value a document."""

from netplane.agent.metadata.documents import Leaf, Tree, text
from netplane.agent.metadata.facts import Facts

VERSIONS = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "latest",
)
"""Those of Nova; each answers what the latest does."""


def tree(facts: Facts) -> Tree:
    """What stands below `/`."""
    keys = {str(index): Leaf(f"{index}={name}", {"openssh-key": text(key)}) for index, (name, key) in _numbered(facts)}
    data: Tree = {
        "ami-id": text("ami-00000000"),
        "ami-launch-index": text("0"),
        "ami-manifest-path": text(""),
        "hostname": text(facts.hostname),
        "instance-action": text("none"),
        "instance-id": text(facts.id),
        "instance-type": text("machine"),
        "local-hostname": text(facts.hostname),
        "local-ipv4": text(facts.address),
        **({"mac": text(facts.nics[0].port.mac_address)} if facts.nics else {}),
        "placement": {"availability-zone": text("")},
        "public-hostname": text(facts.hostname),
        "public-ipv4": text(""),
        **({"public-keys": keys} if keys else {}),
        "reservation-id": text(facts.id),
        "security-groups": text("\n".join(facts.groups)),
    }
    version: Tree = {
        "meta-data": data,
        **({"user-data": facts.user_data} if facts.user_data is not None else {}),
    }
    return dict.fromkeys(VERSIONS, version)


def _numbered(facts: Facts) -> list[tuple[int, tuple[str, str]]]:
    return list(enumerate(facts.keys.items()))
