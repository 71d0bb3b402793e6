"""The API's description of itself: OpenAPI 3.1, and a page to read it, both made from the records and the routes.

```
rules ──▶ schemas, resources ─┐
routes ──────────────────────▶├─▶ document ─▶ /openapi.json
described (each room's own) ──┘       └─────▶ page ─▶ /docs
```
"""

from netplane.api.openapi.described import Calls, Described, Parameter
from netplane.api.openapi.document import Documents

__all__ = ["Calls", "Described", "Documents", "Parameter"]
