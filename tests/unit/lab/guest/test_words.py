"""What QEMU, libvirt and `ip` are told; docs/guests.md says the same."""

from pathlib import Path
from xml.etree import ElementTree

from netplane.lab.guest.guest import Nic, network, to_nic
from netplane.lab.guest.libvirt import describe, describe_nic
from netplane.lab.guest.tap import commands, tap_name
from netplane.lab.machine import Plug

DOCUMENT = (Path(__file__).parents[4] / "docs/guests.md").read_text()
PORT = "f20bb52a-94d1-4a3e-8a43-2f0c0a4f4f10"
NIC = Nic("tapf20bb52a-94", "fa:16:3e:cd:20:4c", "10.0.1.7")


def test_the_name_that_nova_gives() -> None:
    assert tap_name(PORT) == NIC.tap
    assert to_nic(Plug(PORT, NIC.mac, NIC.address)) == NIC


def test_the_documentation_says_what_is_tested() -> None:
    assert describe_nic(NIC) in DOCUMENT
    assert "".join(f"ip {line}\n" for line in commands(NIC.tap, 1450)) in DOCUMENT
    words = network([NIC])
    assert "".join(f"{option} {value}\n" for option, value in zip(words[::2], words[1::2], strict=True)) in DOCUMENT


def test_a_guest_in_libvirts_words() -> None:
    text = describe("name", Path("/k"), Path("/i"), Path("/d"), [NIC, NIC._replace(tap="tap2")])
    targets = [target.get("dev") for target in ElementTree.fromstring(text).iterfind("./devices/interface/target")]
    assert targets == [NIC.tap, "tap2"]
