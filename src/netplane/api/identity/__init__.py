"""The identity API: the part of Keystone's v3 that clients of networks need, for who has no Keystone.

```
routes ─▶ login.auth ─▶ proof (passwords, lockout), callers.standing       log in: a token
       ─▶ projects, users, roles, assignments, ...                         who there is, and what they may do
```

Every call is a function of the server's part (`service.Identity`) and of what was asked (`service.Asked`).
"""
