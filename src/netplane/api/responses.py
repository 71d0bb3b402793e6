"""Answers as HTTP responses."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from netplane.api.call import Answer
from netplane.api.errors import ApiError
from netplane.api.places import root_of

RETRY_AFTER = "2"
"""Seconds after which what cannot be reached now may be back."""

_encoder = msgspec.json.Encoder()


def respond(request: Request, answer: Answer) -> Response:
    """A response with the headers that every one carries."""
    headers = {"x-openstack-request-id": request.scope["netplane.request_id"]}
    if answer.revision is not None:
        headers["X-Netplane-Revision"] = str(answer.revision)
    content = b"" if answer.body is None else _encoder.encode(answer.body)
    media_type = None if answer.body is None else "application/json"
    return Response(content, answer.status, headers, media_type)


def url_of(request: Request) -> str:
    """The address that a client asked, without its query, as it knows the server."""
    return f"{root_of(request)}{request.scope.get('netplane.prefix', '')}{request.scope['path']}"


def respond_error(request: Request, error: ApiError) -> Response:
    """A refusal."""
    response = respond(request, Answer(error.status, error.body))
    if error.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def respond_unauthorized(request: Request) -> Response:
    """A missing or wrong token, as OpenStack's identity middleware says it."""
    message = "The request you have made requires authentication."
    response = respond(request, Answer(401, {"error": {"code": 401, "title": "Unauthorized", "message": message}}))
    response.headers["WWW-Authenticate"] = f'Keystone uri="{root_of(request)}/v3"'
    return response
