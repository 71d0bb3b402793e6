"""cloud-init's own data sources, of Debian's package, which is not installed: it would take this machine over."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from netplane.lab import Machine
from netplane.lab.namespace import inside

CACHE = Path(__file__).parents[2] / ".cache/cloud-init"
PYTHON = "/usr/bin/python3"
"""The system's: packages are built for it."""

PACKAGES = (
    "cloud-init",
    *("libyaml-0-2", "python3-yaml", "python3-jinja2", "python3-markupsafe", "python3-requests", "python3-urllib3"),
    *("python3-idna", "python3-chardet", "python3-certifi", "python3-configobj", "python3-six", "python3-jsonpatch"),
    *("python3-json-pointer", "python3-jsonschema", "python3-attr", "python3-pyrsistent", "python3-oauthlib"),
    *("python3-netifaces", "python3-serial", "python3-distro"),
)
"""It, and what it imports."""

OWN_DEVICES = 'mount -t sysfs sysfs /sys && exec "$@"'
"""Devices are looked up in /sys, which is of the namespace that it was mounted in."""

CRAWL = """
import json, sys
from cloudinit import distros, helpers, sources
from cloudinit.sources import DataSourceEc2, DataSourceOpenStack

kind, where, url = sys.argv[1:]
# Firmware tells a guest that it runs on OpenStack; this machine's does not.
DataSourceOpenStack.detect_openstack = lambda **_: True
kinds = {"OpenStack": DataSourceOpenStack.DataSourceOpenStack, "Ec2": DataSourceEc2.DataSourceEc2}
config = {
    "datasource_list": [kind],
    "datasource": {kind: {"metadata_urls": [url], "max_wait": 5, "timeout": 3, "retries": 1, "strict_id": "false"}},
}
paths = helpers.Paths({"cloud_dir": where, "run_dir": where})
source = kinds[kind](config, distros.fetch("debian")("debian", config, paths), paths)
found = source._get_data()
name, user_data = source.get_hostname(fqdn=True), source.get_userdata_raw()
print("ANSWER " + json.dumps({
    "found": found,
    "id": source.get_instance_id(),
    "hostname": getattr(name, "hostname", name),
    "keys": source.get_public_ssh_keys(),
    "user_data": user_data.decode() if isinstance(user_data, bytes) else user_data,
    "network": source.network_config if kind == "OpenStack" else None,
}))
"""


def unpack() -> Path:
    """Where its files lie, fetched with apt at the first call; skips where they cannot be had."""
    root = CACHE / "root"
    if not (root / "usr/lib/python3/dist-packages/cloudinit").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=CACHE, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"cloud-init cannot be had here: {done.stderr.strip()[-200:]}")
        for package in CACHE.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    return root


def crawl(machine: Machine, kind: str, directory: Path, url: str) -> dict[str, Any]:
    """What a data source (`OpenStack`, `Ec2`) finds in a machine."""
    root = unpack()
    libraries = ":".join(map(str, (root / "usr/lib").glob("*-linux-gnu")))
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
        "LD_LIBRARY_PATH": libraries,
    }
    with inside(machine.namespace):
        child = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", OWN_DEVICES, "sh", PYTHON, "-c", CRAWL, kind, str(directory), url],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
    said = child.communicate(timeout=60)[0]
    assert "ANSWER " in said, said
    found: dict[str, Any] = json.loads(said.rpartition("ANSWER ")[2])
    return found
