"""A stand-in for Nova's metadata service, in the underlay: it says who asks, if the signature is true."""

import hmac
import sys
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "shared"


class Handler(BaseHTTPRequestHandler):
    """As Nova checks it: the signature is HMAC-SHA256 of the instance's id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = {name.lower(): value for name, value in self.headers.items()}
        wanted = hmac.new(SECRET.encode(), said.get("x-instance-id", "").encode(), sha256).hexdigest()
        right = hmac.compare_digest(said.get("x-instance-id-signature", ""), wanted)
        names = ("x-instance-id", "x-tenant-id", "x-forwarded-for")
        body = " ".join([self.path, *(said.get(name, "-") for name in names)]).encode()
        self.send_response(200 if right else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
