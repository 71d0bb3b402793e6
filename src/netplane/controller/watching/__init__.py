"""`GET /netplane/v1/watch`: what changes, told to whoever watches, as it happens.

```
store ── commit ──▶ Controller ─▶ Watchers ─▶ Watcher (bounded) ─▶ stream ── server-sent events ──▶ client
                        │                                            ▲
                        └── the log, for who was away ───────────────┘
```
"""
