"""An empty server lets in one administrator, and writes down for its operator how to log in.

What is written: `clouds.yaml` for OpenStack's clients (`openstack --os-cloud netplane ...`) and `openrc` for shells,
both for the operator's eyes only. Neither is read again; nor is anything written where there are users.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from netplane.api.identity.first import NAME, has_users, make_first, new_password
from netplane.store import Store

LOGGER = logging.getLogger(__name__)

CLOUD = "netplane"
"""What `clouds.yaml` calls this server."""

CLOUDS = """# How to log in to netplane: OS_CLIENT_CONFIG_FILE={path} openstack --os-cloud {cloud} network list
clouds:
  {cloud}:
    auth:
      auth_url: {url}
      username: {name}
      password: {password}
      project_name: {name}
      user_domain_id: default
      project_domain_id: default
    identity_api_version: 3
    region_name: RegionOne
{cloud_authority}"""

OPENRC = """# How to log in to netplane: . {path}; openstack network list
export OS_AUTH_URL={url}
export OS_USERNAME={name}
export OS_PASSWORD={password}
export OS_PROJECT_NAME={name}
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME=RegionOne
{shell_authority}"""


def ensure_administrator(store: Store, folder: Path, url: str, authority: Path | None = None) -> None:
    """Make the first administrator of a store without users.

    `url` is where the server is, `authority` the certificate to believe there if it is not one that systems know.
    """
    if has_users(store):
        return
    password = new_password()
    places = {folder / "clouds.yaml": CLOUDS, folder / "openrc": OPENRC}
    words = {"url": f"{url}/identity", "name": NAME, "password": password, "cloud": CLOUD}
    words["cloud_authority"] = f"    cacert: {authority}\n" if authority else ""
    words["shell_authority"] = f"export OS_CACERT={authority}\n" if authority else ""
    # Written aside first: nobody could log in if the password were in the store alone. Aside of others that begin, too.
    suffix = f"{os.getpid()}.new"
    written = {
        _write(path.with_name(f"{path.name}.{suffix}"), text, path, words): path for path, text in places.items()
    }
    if make_first(store, password):
        for aside, path in written.items():
            aside.replace(path)
        LOGGER.info("the first administrator's password is in %s", " and ".join(map(str, places)))
    else:  # another controller was faster
        for aside in written:
            aside.unlink()


def _write(aside: Path, text: str, path: Path, words: Mapping[str, str]) -> Path:
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text.format(path=path, **words))
    return aside
