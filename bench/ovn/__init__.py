"""netplane beside OVN: one cloud in both, the same figures of both in the same run (`make bench-ovn`).

    cloud ──▶ northbound ──▶ site: central ──▶ host, host, ...     OVN's daemons, one ovn-controller for each real host
      │                         ▲
      │       series ── start, add, move, delete, restart ──▶ report: ratios
      │                         ▼
      ╰──▶ store ──────▶ beside: controller ──▶ agent, agent, ...  netplane, with kernel tables for each real host

`standing` says what both are asked; `changing` and `watch` read from OVN when it was done.
"""
