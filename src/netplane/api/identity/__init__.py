"""The identity API: the part of Keystone's v3 that clients of networks need, for who has no Keystone.

```
routes ─▶ login.auth ─▶ proof (passwords, lockout), callers.standing       log in: a token
       ─▶ projects, users, roles, assignments, ...                         who there is, and what they may do
```

Every call is a function of the server's part (`service.Identity`) and of what was asked (`service.Asked`).
"""

from netplane.api.identity.routes import identity_routes
from netplane.api.identity.service import Identity, IdentityConfig, make_identity

__all__ = ["Identity", "IdentityConfig", "identity_routes", "make_identity"]
