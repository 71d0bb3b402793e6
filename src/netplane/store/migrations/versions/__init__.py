"""The steps, in order; Alembic finds them by their files. `0001` is level 1, and so on.

A step must leave a database with which the netplane before it can still work (expand): new tables, and new columns
with a default. What nobody uses any more goes one release later (contract), in a step that also moves `log.oldest` up
to the level of the oldest netplane that does without.
"""
