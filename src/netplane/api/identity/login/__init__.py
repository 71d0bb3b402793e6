"""Logging in: what a client says of itself becomes a token, or a 401 that tells nothing.

```
auth ─▶ wishes (the body) ─▶ proof ─┬─ lockout     who has failed often waits
                                    ├─ passwords   argon2id
                                    └─ callers     the token of a token
```
"""
