"""What can go wrong in a session.

StreamFault
├── RemoteFault   the other end broke the rules, or sent what is no message: it is cut off
├── Gone          the connection has ended, or there was none
├── LocalFault    this end was about to break the rules: a bug of ours
├── Refused       the controller does not take the agent, or cannot do what was asked
└── Unanswered    an agent was asked that is not there, or does not answer
"""


class StreamFault(Exception):
    """A session cannot go on as it is."""


class RemoteFault(StreamFault):
    """The other end broke the rules of the session."""


class Gone(StreamFault):
    """The connection has ended; the text says why, as far as this end knows."""


class LocalFault(StreamFault):
    """This end was about to break the rules of the session."""


class Refused(StreamFault):
    """One end will not do what the other wants, for a reason that an operator should read."""


class Unanswered(StreamFault):
    """An agent was asked that is not there, or does not answer."""
