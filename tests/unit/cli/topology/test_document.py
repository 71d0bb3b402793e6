"""Topology files: what they mean, and where their mistakes are."""

import pytest

from netplane.cli.topology.document import Mistake, parse_document
from netplane.cli.topology.names import Name

SHOP = """
topology: shop
project: blue
ports:
  p: {network: web, security_groups: [web, 8d1a6f0e-6d0f-4a39-9f6c-1d1f1d1e7a11], fixed_ips: [{subnet: web}]}
routers:
  r: {interfaces: [web, {port: q}]}
security-groups:
  web:
    rules: [{direction: ingress, remote_group: web}]
networks:
  web: {mtu: 1400}
  plain:
subnets:
  web: {network: web, cidr: 10.0.0.0/24}
"""


def test_what_is_referred_to_stands_first() -> None:
    document = parse_document(SHOP)
    assert (document.topology, document.project, document.tag) == ("shop", "blue", "topology=shop")
    assert [(each.kind.name, each.name) for each in document.wanted] == [
        ("network", "web"),
        ("network", "plain"),
        ("subnet", "web"),
        ("router", "r"),
        ("security_group", "web"),
        ("port", "p"),
    ]


def test_names_stand_for_ids() -> None:
    by_kind = {each.kind.name: each for each in parse_document(SHOP).wanted if each.name != "plain"}
    assert by_kind["subnet"].fields == {"network_id": Name("network", "web"), "cidr": "10.0.0.0/24"}
    assert by_kind["port"].fields == {
        "network_id": Name("network", "web"),
        "security_groups": [Name("security_group", "web"), "8d1a6f0e-6d0f-4a39-9f6c-1d1f1d1e7a11"],
        "fixed_ips": [{"subnet_id": Name("subnet", "web")}],
    }
    assert by_kind["router"].parts == {
        "interfaces": [{"subnet_id": Name("subnet", "web")}, {"port_id": Name("port", "q")}]
    }
    assert by_kind["security_group"].parts == {
        "rules": [{"direction": "ingress", "remote_group_id": Name("security_group", "web")}]
    }
    assert parse_document(SHOP).names_elsewhere() == [Name("port", "q")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("networks: {a: {}}", 1, "topology: NAME"),
        ("topology: a,b", 1, "letters"),
        ("topology: a\nnets: {}", 2, "'nets' is none of"),
        ("topology: a\nsecurity_group_rules: {}", 2, "none of"),
        ("topology: a\nflavors: {}", 2, "none of"),
        ("topology: a\nnetworks: [a]", 2, "networks is a mapping, not a list"),
        ("topology: a\nnetworks:\n  web:\n    mut: 1", 4, "there is no field 'mut'"),
        ("topology: a\nnetworks:\n  web: {provider:segmentation_id: 7}", 3, "there is no field"),
        ("topology: a\nnetworks:\n  web: {}\n  web: {}", 4, "in line 3 already"),
        ("topology: a\nports:\n  p:\n    network: a\n    network_id: b", 5, "said twice"),
        ("topology: a\nrouters:\n  r:\n    interfaces: web", 4, "is a list"),
        ("topology: a\nrouters:\n  r:\n    interfaces:\n      - [web]", 5, "is a mapping, not a list"),
        ("topology: a\nsecurity_groups:\n  g:\n    rules:\n      - {way: in}", 5, "there is no field 'way'"),
        (
            "topology: a\nrouters:\n  r:\n    interfaces:\n      - {subnet: s, segmentation_id: 5}",
            5,
            "there is no field 'segmentation_id'; there are subnet_id, port_id",
        ),
        ("topology: a\nnetworks: {", 2, "not YAML"),
        ("topology: a\n\tnetworks:", 2, "not YAML"),
        ("topology: a\n---\ntopology: b", 1, "one document"),
        ("", 1, "one document"),
        ("[]", 1, "a mapping"),
    ],
)
def test_mistakes_say_where_they_are(text: str, line: int, words: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse_document(text)
    assert words in str(caught.value)
    assert caught.value.line == line


def test_a_refusal_is_about_the_field_that_it_names() -> None:
    wanted = parse_document("topology: a\nnetworks:\n  web:\n    mtu: 9\n    dns_domain: x..y\n").wanted[0]
    assert wanted.line_of("'mtu' is too small") == 4
    assert wanted.line_of("'x..y' is no name") == 5
    assert wanted.line_of("the quota is reached") == 3
