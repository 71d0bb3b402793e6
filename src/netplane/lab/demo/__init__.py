"""The demonstration: two tenants with the very same addresses on three hosts, and every claim checked with packets.

Each item is a module with a function `checks`, which yields what it has tried as it goes; this one runs them in order
and sees to the end. An item that breaks counts as one failed check, and the next one runs all the same.
"""

import time
import traceback
from contextlib import suppress

from netplane.lab import Lab, LabBusy, interruptible, sweep
from netplane.lab.demo import (
    addresses,
    departure,
    forgery,
    ipv6,
    isolation,
    keep,
    latency,
    reach,
    rules,
    scene,
    services,
    survival,
)
from netplane.lab.demo.check import Check, Checks
from netplane.lab.demo.report import Report, Tell
from netplane.lab.demo.scene import PROJECTS, Scene

ITEMS: dict[str, Checks] = {
    "1 Every machine configures itself by DHCP": addresses.checks,
    "2 Machines of a project reach each other": reach.checks,
    "3 And they do by IPv6": ipv6.checks,
    "4 Hosts answer their machines with names and metadata": services.checks,
    "5 Projects with the same addresses never meet": isolation.checks,
    "6 Forged packets get nowhere": forgery.checks,
    "7 Security group rules open and close": rules.checks,
    "  How fast a port gets into the kernels": latency.checks,
    "8 Failures and upgrades disturb nobody": survival.checks,
}
LAST = "9 Deleting everything leaves nothing"


def run(prefix: str, hosts: int, *, keep: bool, tell: Tell | None = None) -> int:
    """The whole demo; gives the exit status. Whatever happens, nothing is left behind.

    `tell` prints the result for programs; without it people get a table.
    """
    report = Report(tell)
    begun = time.monotonic()
    try:
        with interruptible():
            sweep()
            with Lab(prefix, hosts, PROJECTS) as lab:
                _run(lab, report, stays=keep)
    except KeyboardInterrupt:
        report.say("interrupted; everything is removed")
        return 130
    except LabBusy as problem:
        report.add(Check("start", False, str(problem)))
    report.say(f"{time.monotonic() - begun:.0f} s in all")
    return report.finish()


def _run(lab: Lab, report: Report, *, stays: bool) -> None:
    try:
        with report.item(f"A lab of {len(lab.hosts)} hosts"):
            begun = time.monotonic()
            lab.start()
            made = scene.build(lab)
            report.say(f"{len(lab.hosts)} hosts, {len(made.machines)} machines in {time.monotonic() - begun:.1f} s")
    except Exception as problem:
        report.add(_broken("the lab comes up", problem, lab))
        return
    for title, checks in ITEMS.items():
        _run_item(report, title, checks, made)
    if stays:
        report.say(f"{report.passed} checks passed, {report.failed} failed so far; item 9 follows after Ctrl-C")
        _stay(made, report)
    _run_item(report, LAST, departure.checks, made)


def _run_item(report: Report, title: str, checks: Checks, made: Scene) -> None:
    with report.item(title):
        try:
            for check in checks(made):
                report.add(check)
        except Exception as problem:
            report.add(_broken(title.strip(), problem, made.lab))


def _broken(name: str, problem: Exception, lab: Lab) -> Check:
    said = (str(problem).splitlines() or [""])[0]
    logs = (f"--- {name}\n{tail}\n" for name, tail in lab.read_logs().items())
    detail = "".join((*traceback.format_exception(problem), *logs))
    return Check(name, False, f"{type(problem).__name__}: {said}", detail)


def _stay(made: Scene, report: Report) -> None:
    report.show(keep.describe(made))
    with suppress(KeyboardInterrupt):
        while True:
            # Not signal.pause: a signal that comes just before it would be waited for in vain.
            time.sleep(0.2)
