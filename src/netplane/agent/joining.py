"""Joining: a host makes a key, has a controller certify it, and keeps what its agent needs."""

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import ValidationError, convert, to_builtins

from netplane.agent.introductions import forget_introduced
from netplane.agent.settings import Settings, write_settings
from netplane.client import Client, Stranger
from netplane.trust.joining import Welcoming, check_welcome, make_wish
from netplane.trust.keys import make_key
from netplane.trust.papers import Papers, write_papers
from netplane.trust.tokens import parse_join_secret


def join(url: str, token: str, host: str, address: str, folder: Path) -> Papers:
    """Join by a controller's URL and a join token; the host's papers, which are in the folder then.

    Distrust if the token is none, or who answers is not the controller that it is from; a Fault of the client if none
    answers or it refuses; OSError if the folder cannot be written.
    """
    secret, key = parse_join_secret(token), make_key()
    wish = make_wish(secret, host, key)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The token proves either side to the other: whose certificate the connection shows does not matter.
    client = Client(url, "", verify=False)
    try:
        answer = convert(client.call("POST", "/netplane/v1/join", to_builtins(wish)), Welcoming)
    except ValidationError as error:
        raise Stranger(f"what answers at {url} is not netplane: {error}") from None
    finally:
        client.close()
    papers = check_welcome(secret, wish, key, answer)
    controllers = tuple(_complete(controller, url) for controller in answer.controllers)
    write_settings(folder, Settings(address, controllers))
    forget_introduced(folder)
    write_papers(folder, papers)
    return papers


def _complete(controller: str, url: str) -> str:
    """Where a controller is that says no more than its port: where it was asked."""
    if not controller.startswith(":"):
        return controller
    name = urlsplit(url).hostname or ""
    return f"[{name}]{controller}" if ":" in name else f"{name}{controller}"
