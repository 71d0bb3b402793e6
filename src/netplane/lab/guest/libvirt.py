"""Guests by a stock libvirtd: a daemon of the lab's own, on a lab's host, that shares no file with the machine's.

libvirtd as root keeps its state where it was built to. So it runs in a mount namespace, where those places are
directories of the lab's, and in a process namespace, so that its guests end with it; its sockets lie in the lab's
directory.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from netplane.lab.guest.guest import APPEND, BOOT_SECONDS, MEMORY, Nic, shared_image, to_nic
from netplane.lab.guest.kernel import Kernel
from netplane.lab.guest.shell import Shell, open_shell
from netplane.lab.host import Host
from netplane.lab.lab import Lab
from netplane.lab.ledger import ROOT
from netplane.lab.machine import Plug
from netplane.lab.process import Child
from netplane.lab.wait import until

HIDDEN = ("/var/lib", "/var/cache", "/var/log", "/etc/libvirt", "/run")
"""Where libvirtd would read and write; each is a directory of the lab's own to it."""

DAEMON = """unix_sock_dir = "{directory}"
auth_unix_rw = "none"
"""

QEMU = """user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"""
"""What a machine without systemd and libvirt's log daemon leaves us."""

USER = "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n"
GROUP = "libvirt-qemu:x:64055:\n"
"""Debian's names, which libvirtd wants to be there even if its guests run as somebody else."""

KVM = "/dev/kvm"
"""libvirtd tries it before it answers, for minutes where it hangs; our guests do without it."""

FILES = {"/etc/passwd": USER, "/etc/group": GROUP}


class Libvirt:
    """One daemon."""

    def __init__(self, lab: Lab, host: Host) -> None:
        self.lab = lab
        self.host = host
        self.directory = Path(lab.directory) / f"libvirt-{host.name}"
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """What virsh connects to."""
        return f"qemu+unix:///system?socket={self.directory}/libvirt-sock"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        self.directory.mkdir(parents=True)
        (self.directory / "libvirtd.conf").write_text(DAEMON.format(directory=self.directory))
        for place in (*HIDDEN, str(ROOT)):
            self._own(place).mkdir(parents=True, exist_ok=True)
        (self._own("/etc/libvirt") / "qemu.conf").write_text(QEMU)
        for place, line in FILES.items():
            self._own(place).write_text(Path(place).read_text() + line)
        # What is below /run of the lab's, its sockets above all, stays where it is.
        mounts = [f"mount --rbind {ROOT} {self._own(str(ROOT))}"]
        mounts += [f"mount --rbind {self._own(place)} {place}" for place in (*FILES, *HIDDEN)]
        if Path(KVM).exists():
            mounts.append(f"mount --bind /dev/null {KVM}")
        # The shell is the first process of its namespace: it buries what the daemon leaves orphaned.
        daemon = f"{{ libvirtd --config {self.directory}/libvirtd.conf --pid-file {self.directory}/pid & wait $!; }}"
        spaces = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        script = " && ".join([*mounts, daemon])
        self.child = self.lab.run_on(self.host, ["unshare", *spaces, "sh", "-c", script])
        until("libvirtd answers", self._answers, 20, 0.1)

    def run(self, *words: str) -> str:
        """A virsh command and what it wrote; RuntimeError with what it said if it fails."""
        done = self._virsh(*words)
        if done.returncode != 0:
            raise RuntimeError(f"virsh {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def stop(self) -> None:
        """End it, and its guests with it."""
        if self.child is not None:
            self.child.kill()

    def _own(self, place: str) -> Path:
        return self.directory / "root" / place.lstrip("/")

    def _answers(self) -> bool:
        if self.child is not None and not self.child.alive:
            raise RuntimeError(f"libvirtd has ended: {self.child.tail()}")
        return self._virsh("version").returncode == 0

    def _virsh(self, *words: str) -> "subprocess.CompletedProcess[str]":
        argv = ["virsh", "--quiet", "--connect", self.url, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


class Domain:
    """A guest that libvirt runs; the devices that it is plugged into are there before it starts."""

    def __init__(self, libvirt: Libvirt, name: str, kernel: Kernel, plugs: Sequence[Plug]) -> None:
        self.libvirt = libvirt
        self.name = name
        self.nics = [to_nic(plug) for plug in plugs]
        self._shell: Shell | None = None
        self._kernel = kernel
        self._directory = Path(libvirt.lab.directory) / "guests" / name

    @property
    def address(self) -> str:
        """That of its first port."""
        return self.nics[0].address

    def start(self) -> None:
        """Define and start it; it lasts until it is destroyed."""
        self._directory.mkdir(parents=True, exist_ok=True)
        image = shared_image(self.libvirt.lab, self._kernel)
        description = self._directory / "domain.xml"
        description.write_text(describe(self.name, self._kernel.image, image, self._directory, self.nics))
        self.libvirt.run("create", str(description))

    def wait(self, seconds: float = BOOT_SECONDS) -> Shell:
        """Until it has booted; gives its shell."""
        self._shell = until("QEMU listens", lambda: open_shell(self._directory / "shell", seconds))
        self._shell.wait()
        return self._shell

    def attach(self, plug: Plug) -> None:
        """Plug a further device in while it runs."""
        self.libvirt.run("attach-device", self.name, str(self._describe_nic(plug)))

    def detach(self, plug: Plug) -> None:
        """Unplug a device while it runs."""
        self.libvirt.run("detach-device", self.name, str(self._describe_nic(plug)))

    def destroy(self) -> None:
        """End it at once."""
        if self._shell is not None:
            self._shell.close()
        self.libvirt.run("destroy", self.name)

    def _describe_nic(self, plug: Plug) -> Path:
        path = self._directory / f"{to_nic(plug).tap}.xml"
        path.write_text(describe_nic(to_nic(plug)))
        return path


def describe(name: str, kernel: Path, image: Path, directory: Path, nics: Sequence[Nic]) -> str:
    """A guest in libvirt's words."""
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{MEMORY}</memory>
  <vcpu>1</vcpu>
  <cpu mode='maximum'/>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{image}</initrd>
    <cmdline>{APPEND}</cmdline>
  </os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  <devices>
    <serial type='file'><source path='{directory}/console'/></serial>
    <serial type='unix'><source mode='bind' path='{directory}/shell'/></serial>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
{"".join(describe_nic(nic) for nic in nics)}  </devices>
</domain>
"""


def describe_nic(nic: Nic) -> str:
    """A network device as libvirt's OpenStack drivers describe it: a tap device of this name, made by somebody else."""
    return f"""    <interface type='ethernet'>
      <mac address='{nic.mac}'/>
      <target dev='{nic.tap}' managed='no'/>
      <model type='virtio'/>
      <rom enabled='no'/>
    </interface>
"""
