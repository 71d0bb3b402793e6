"""Commands about who may call: projects, users, roles and tokens. They ask the identity API, as any client does.

No password is ever a word of a command line, where others on the machine would see it: it is typed, or comes by
standard input.
"""
