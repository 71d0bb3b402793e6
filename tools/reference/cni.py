"""The plugin for containers: the fields of its network configuration, and the codes of its errors."""

from collections.abc import Iterator
from typing import get_type_hints

from msgspec import Meta, structs

from netplane.cni.config import Config
from netplane.cni.errors import Code
from netplane.cni.plugin import SUPPORTED
from tools.reference.markdown import member_texts, page_of, table_of

INTRODUCTION = (
    "`netplane-cni` is a plugin of the Container Network Interface; it speaks the versions {versions}. It stands first "
    "in a conflist, and takes these fields. No field is for a secret. Every other one is refused, except those that "
    "runtimes add."
)
EXAMPLE = """```json
{
  "cniVersion": "1.0.0",
  "name": "blue",
  "plugins": [
    {
      "type": "netplane-cni",
      "network": "blue",
      "token_file": "/etc/netplane/token",
      "capabilities": {"ips": true, "mac": true}
    }
  ]
}
```"""
WISHES = (
    "A runtime may wish for addresses and a MAC address: by the capabilities `ips` and `mac`, or by `IP` (several with "
    "commas between) and `MAC` in `CNI_ARGS`. `K8S_POD_NAME` there becomes the port's name."
)
ERRORS = "Errors have the specification's codes, and these of the plugin's own:"


def page() -> str:
    """The page."""
    return page_of(
        "Containers",
        INTRODUCTION.format(versions=", ".join(SUPPORTED)),
        EXAMPLE,
        table_of(("field", "meaning"), _fields()),
        WISHES,
        ERRORS,
        table_of(("code", "what it means"), ((Code[name].value, text) for name, text in member_texts(Code).items())),
    )


def _fields() -> Iterator[tuple[str, str]]:
    hints = get_type_hints(Config, include_extras=True)
    for field in structs.fields(Config):
        metas = [part for part in getattr(hints[field.name], "__metadata__", ()) if isinstance(part, Meta)]
        text = next((meta.description for meta in metas if meta.description), None)
        if text:
            yield f"`{field.encode_name}`", text
