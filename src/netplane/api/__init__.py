"""The HTTP API: OpenStack Networking v2.0 over the records' own declarations, and a place for netplane's own calls.

```
request ─▶ app ──▶ resources ─────────▶ bodies, queries, views     generic: they walk the declarations in `model`
           (door,  (create, show,       rules/*                    small functions a kind: defaults, allocation, checks
           routes)  list, update, ...) ─▶ store
```

Nothing here knows a field that it has no rule for: a field added to a record is parsed, filtered and shown.
"""

from netplane.api.app import context_of, make_app, read_body
from netplane.api.call import Answer, Call
from netplane.api.context import Context
from netplane.api.errors import ApiError
from netplane.api.identity import Identity, IdentityConfig, make_identity
from netplane.api.responses import respond
from netplane.api.tokens import Tokens, parse_tokens, read_tokens

__all__ = [
    "Answer",
    "ApiError",
    "Call",
    "Context",
    "Identity",
    "IdentityConfig",
    "Tokens",
    "context_of",
    "make_app",
    "make_identity",
    "parse_tokens",
    "read_body",
    "read_tokens",
    "respond",
]
