"""What the controller says, in the specification's codes."""

import pytest

from netplane.client import Fault, Refused, Stranger, Unanswered
from netplane.cni.errors import Code
from netplane.cni.ports import translated


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (Unanswered("connection refused"), Code.TRY_AGAIN_LATER, "connection refused"),
        (Stranger("what answers is not netplane"), Code.INVALID_CONFIGURATION, "not netplane"),
        (Refused(401, "who are you?"), Code.INVALID_CONFIGURATION, "token"),
        (Refused(400, "no such group"), Code.INVALID_CONFIGURATION, "no such group"),
        (Refused(403, "not yours"), Code.INVALID_CONFIGURATION, "not yours"),
        (Refused(409, "is in use"), Code.REFUSED, "is in use"),
        (Refused(503, "busy"), Code.TRY_AGAIN_LATER, "busy"),
    ],
)
def test_faults(problem: Fault, code: Code, said: str) -> None:
    error = translated(problem)
    assert (error.code, said in str(error)) == (code, True)
