"""How people say which port they mean: by its id, or by its name where only one has it."""

from urllib.parse import quote

from netplane.cli.client import Client, ClientError
from netplane.cli.ids import is_id


def find_port(client: Client, text: str) -> str:
    """The id of a port; an id is taken as it is. ClientError if no port has the name, or several do."""
    if is_id(text):
        return text
    found = client.get(f"/v2.0/ports?fields=id&name={quote(text)}")["ports"]
    if len(found) != 1:
        said = f"{len(found)} ports have" if found else "no port has"
        raise ClientError(f"{said} the name {text!r}; name it by its id (`openstack port list` shows what there is)")
    return str(found[0]["id"])
