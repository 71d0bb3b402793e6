"""The HTTP API: OpenStack Networking v2.0 over the records' own declarations, and a place for netplane's own calls.

```
request ─▶ app ──▶ resources ─────────▶ bodies, queries, views     generic: they walk the declarations in `model`
           (door,  (create, show,       rules/*                    small functions a kind: defaults, allocation, checks
           routes)  list, update, ...) ─▶ store
```

Nothing here knows a field that it has no rule for: a field added to a record is parsed, filtered and shown.

Nothing is imported here, nor by `callers` and `identity`: who reads settings does not load what answers calls.
"""
