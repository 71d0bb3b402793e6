"""Objects that the kernel's datapath must refuse, and what it says of them. They are compiled here."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.datapath import NotLoaded
from netplane.datapath.kernel import SHIPPED
from tests.contract.datapaths import KernelBench, kernel_bench, ways

pytestmark = pytest.mark.kernel


@pytest.fixture
def bench() -> Iterator[KernelBench]:
    with kernel_bench(ways()[-1]) as made:
        yield made


def compile_program(directory: Path, body: str) -> Path:
    """An object with all tables, whose `from_machine` has this body."""
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    source, target = directory / "program.c", directory / "program.o"
    source.write_text(
        '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include "tables.h"\n'
        f'SEC("tc") int from_machine(struct __sk_buff *skb) {{ {body} }}\n'
        'SEC("tc") int from_tunnel(struct __sk_buff *skb) { return 0; }\n'
        'SEC("tc") int from_service(struct __sk_buff *skb) { return 0; }\nchar LICENSE[] SEC("license") = "GPL";\n'
        "struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 1); __type(key, __u32);"
        ' __type(value, __u32); } onward SEC(".maps");\n'
    )
    includes = [f"-I{SHIPPED.parent / 'bpf'}", f"-I/usr/include/{os.uname().machine}-linux-gnu"]
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", *includes, "-c", source, "-o", target], check=True)
    return target


def test_the_verifier_is_heard(bench: KernelBench, tmp_path: Path) -> None:
    before = bench.identities()
    path = compile_program(tmp_path, "return *(int *)(long)skb->data;")
    with pytest.raises(NotLoaded, match=r"(?s)cannot load .*: EACCES .*invalid access to packet"):
        bench.datapath.replace(path)
    assert bench.identities() == before


def test_other_tables_are_refused(bench: KernelBench, tmp_path: Path) -> None:
    header = (SHIPPED.parent / "bpf/tables.h").read_text()
    tables = header.replace("max_entries, 4096", "max_entries, 8192", 1)
    assert tables != header
    (tmp_path / "tables.h").write_text(tables)
    with pytest.raises(NotLoaded, match="was built from other tables: host is"):
        bench.datapath.replace(compile_program(tmp_path, "return 0;"))
