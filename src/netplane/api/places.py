"""Where the server is, as a client knows it: what links and the catalog begin with."""

from starlette.requests import Request

PREFIXES = ("/identity", "/networking")
"""Before the paths of either API, for who wants to tell them apart; both APIs are also without."""


def root_of(request: Request) -> str:
    """The server's address without a slash at its end: what the operator says it is, or what the client has asked."""
    public: str = request.scope.get("netplane.public_url", "")
    if public:
        return public
    headers = request.headers
    scheme = headers.get("x-forwarded-proto") or request.scope["scheme"]
    host = headers.get("x-forwarded-host") or headers.get("host", "localhost")
    return f"{scheme}://{host}{headers.get('x-forwarded-prefix', '').rstrip('/')}"


def base_of(request: Request) -> str:
    """The address of the identity API's version, by the way that the client has come."""
    prefix = request.scope.get("netplane.prefix", "")
    return f"{root_of(request)}{prefix}/v3"
