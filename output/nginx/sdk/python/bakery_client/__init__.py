"""Client of the data API."""

from .check import Check, Fault, InvalidValue, Json, faults_of
from .client import Client, where
from .problems import *  # noqa: F403
from .problems import ApiProblem
from .transport import Answer, ConnectionFailed, NotModified, UnexpectedAnswer

__all__ = [
    "Answer",
    "ApiProblem",
    "Check",
    "Client",
    "ConnectionFailed",
    "Fault",
    "InvalidValue",
    "Json",
    "NotModified",
    "UnexpectedAnswer",
    "faults_of",
    "where",
]
