"""Topologies: a file says what a project's network shall be; netplane finds what is missing and does it.

    file ─ document ─▶ Document ─┐
                                 ├─ planning ─▶ Steps ─ applying ─▶ calls of the API
    API ─── reading ──▶ Found ───┘

A step is one call of the API in which names stand for ids that are not known yet; so what `plan` shows is what `apply`
does.
"""
