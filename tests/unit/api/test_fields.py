"""The declarations are complete: every field is described, and every kind can be made."""

import pytest
from msgspec import structs

from netplane.api.bodies import parse_create, plural
from netplane.api.context import Context, roles
from netplane.api.errors import ApiError
from netplane.api.fields import fields_by_wire, fields_of
from netplane.api.rules import RULES, Rules
from netplane.api.views import only, view
from netplane.model import STORED, FixedIP, Network, Port, kind_of

KINDS = [pytest.param(rules, id=rules.kind.__name__) for rules in RULES]


@pytest.mark.parametrize("rules", KINDS)
def test_every_field_is_described(rules: Rules) -> None:
    hidden = {info.name for info in structs.fields(rules.kind)} - {field.name for field in fields_of(rules.kind)}
    assert hidden <= {"identity_id", "number", "sub_ports"}


@pytest.mark.parametrize("rules", KINDS)
def test_what_must_be_there_is_asked_for_or_filled(rules: Rules) -> None:
    """`id` is made by every kind's rules."""
    for info in structs.fields(rules.kind):
        if info.required and info.name != "id":
            field = next((field for field in fields_of(rules.kind) if field.name == info.name), None)
            is_asked = field is not None and field.access.create
            assert is_asked or info.name in rules.filled, info.name


@pytest.mark.parametrize("rules", KINDS)
def test_what_may_be_changed_may_be_given_at_first(rules: Rules) -> None:
    late = {"routes"}  # they need interfaces, which a router gets once it is there
    if rules.create is None:
        return
    assert all(field.access.create for field in fields_of(rules.kind) if field.access.update and field.name not in late)


@pytest.mark.parametrize("rules", KINDS)
def test_extra_fields_hide_no_field(rules: Rules) -> None:
    assert not {extra.name for extra in rules.extras} & fields_by_wire(rules.kind).keys()


def test_every_kind_that_clients_write_has_rules() -> None:
    assert {rules.kind for rules in RULES} == {kind for kind in STORED if kind.collection}
    assert len({plural(rules.kind) for rules in RULES}) == len(RULES)


@pytest.mark.parametrize("rules", KINDS)
def test_what_is_read_only_is_refused(rules: Rules) -> None:
    for field in fields_of(rules.kind):
        if not field.access.create:
            body = f'{{"{kind_of(rules.kind)}": {{"{field.wire}": null}}}}'.encode()
            with pytest.raises(ApiError) as caught:
                parse_create(rules.kind, rules.filled, rules.further, body)
            assert caught.value.status == 400


def test_names_on_the_wire() -> None:
    assert fields_by_wire(Network)["provider:segmentation_id"].name == "vni"
    assert fields_by_wire(Network)["tenant_id"].name == "project_id"
    assert "identity_id" not in fields_by_wire(Port)


def test_views() -> None:
    port = Port(id="p", network_id="n", mac_address="m", fixed_ips=(FixedIP("s", "10.0.0.1"),), host_id="h")
    assert view(port, Context("blue", roles(["admin"]), "ann"))["binding:host_id"] == "h"
    shown = view(port, Context("blue", roles(["member"]), "ann"))
    assert "binding:host_id" not in shown
    assert "identity_id" not in shown
    assert only(shown, {"id", "none"}) == {"id": "p"}
    assert only(shown, set()) == shown


@pytest.mark.parametrize(
    ("body", "wishes", "is_list"),
    [
        (b'{"network": {}}', [{}], False),
        (b'{"network": {"name": "n", "mtu": "1400"}}', [{"name": "n", "mtu": 1400}], False),
        (b'{"networks": [{"tenant_id": "blue"}, {}]}', [{"project_id": "blue"}, {}], True),
    ],
)
def test_wishes(body: bytes, wishes: list[dict[str, object]], is_list: bool) -> None:
    assert parse_create(Network, frozenset({"vni"}), (), body) == (wishes, is_list)
