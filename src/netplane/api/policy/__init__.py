"""Policy: who may see and do what.

```
Context (roles, project) ── standing ─▶ Persona bits ─╮
                                                      ├─▶ judgement: may it? ─▶ go on, 403 or 404
table (kind, action, field: personas) ─ compiled ─────╯       │
                                                              ╰─ only if it must: whose network, shared with whom?
```

Everything that a caller is refused for being who it is comes from `table`; `docs/reference/policy.md` shows it.
"""

from netplane.api.personas import Persona, standing
from netplane.api.policy.judgement import (
    allowed,
    check_call,
    check_create,
    check_everywhere,
    check_given,
    check_update,
    may,
    may_call,
    never_seen,
    refused,
    sees,
    sees_all,
    sees_own,
    sees_shared,
    unseen,
    visible,
)

__all__ = [
    "Persona",
    "allowed",
    "check_call",
    "check_create",
    "check_everywhere",
    "check_given",
    "check_update",
    "may",
    "may_call",
    "never_seen",
    "refused",
    "sees",
    "sees_all",
    "sees_own",
    "sees_shared",
    "standing",
    "unseen",
    "visible",
]
