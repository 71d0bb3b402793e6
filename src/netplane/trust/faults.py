"""What is wrong with a certificate, a request or a token."""


class Distrust(Exception):
    """It proves nothing; says why in one line, and nothing of any secret."""
