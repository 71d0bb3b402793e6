"""The first administrator: who an empty server lets in, once."""

import secrets
from uuid import uuid4

from netplane.api.identity.login.passwords import hash_password
from netplane.model import Project, User, assignment
from netplane.model.identity import DOMAIN, SYSTEM
from netplane.store import Store, Transaction

NAME = "admin"
"""Of the user and of the project."""


def has_users(store: Store) -> bool:
    """Whether anybody can log in."""
    with store.read() as reader:
        return bool(reader.page(User, "", 1))


def new_password() -> str:
    """A password that nobody guesses: 144 bits."""
    return secrets.token_urlsafe(18)


def make_first(store: Store, password: str) -> bool:
    """Make the user and the project `admin`, unless there are users; answers whether they were made."""
    hashed = hash_password(password)
    with store.write("netplane") as transaction:
        if transaction.reader.page(User, "", 1):
            return False
        _add(transaction, hashed)
    return True


def _add(transaction: Transaction, hashed: str) -> None:
    project = transaction.add(Project(id=uuid4().hex, name=NAME, description="The operators' own."))
    user = transaction.add(User(id=uuid4().hex, name=NAME, password=hashed, default_project_id=project.id))
    for target in (project.id, DOMAIN, SYSTEM):
        transaction.add(assignment(user.id, target, "admin"))
