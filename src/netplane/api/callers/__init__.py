"""Who is calling: what stands behind the token of a request.

```
door ─▶ Callers ─┬─ Tokens           the operator's file
                 ├─ SignedTokens     what this server has issued: seal, keys, standing
                 ├─ KeystoneTokens   a Keystone that there already is
                 └─ OidcTokens       an issuer of OpenID Connect
```

Each is a `Source`. What it knows it says at once; what it must look up it looks up away from the event loop.
"""

from netplane.api.callers.signed import SignedTokens
from netplane.api.callers.source import Callers, Source

__all__ = ["Callers", "SignedTokens", "Source"]
