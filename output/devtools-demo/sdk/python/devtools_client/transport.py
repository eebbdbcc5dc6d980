"""Requests and answers: credentials, checks, deadlines, retries and errors."""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import ssl
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar, Union, cast

from . import deployment
from .check import Check, Fault, InvalidValue, faults_of, text
from .models import Problem
from .problems import ApiProblem, error_for
from .validators import check_problem, check_slug

T = TypeVar("T")

Credential = Union[str, Callable[[], str]]

_FIRST_WAIT = 0.2

# Checked here, because the library's own message would show it.
_check_credential = text("^[!-~]+$", hint="must be visible ASCII characters, without a line's end")


class NotModified(Exception):
    """The answer to If-None-Match when the record still has that version."""


class ConnectionFailed(ConnectionError):
    """The request could not be sent, or its answer did not come."""


class UnexpectedAnswer(Exception):
    """The answer is none of this API: of a proxy in between, perhaps."""

    def __init__(self, status: int, faults: Sequence[Fault] = ()) -> None:
        super().__init__(f"an answer that is not of this API: status {status}")
        self.status = status
        self.faults = tuple(faults)


class Answer(Generic[T]):
    """What came back."""

    def __init__(self, value: T, status: int, headers: Mapping[str, str]) -> None:
        self.value = value
        self.status = status
        self.request_id = headers.get("Caisson-Request-Id") or ""
        #: The version of the record, for if_match and if_none_match.
        self.etag = headers.get("ETag")
        #: An answer of before, given again to the same idempotency key.
        self.replayed = headers.get("Idempotency-Replayed") == "true"


class Parameter(NamedTuple):
    place: str
    name: str
    value: object
    check: Check


class _Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Transport:
    """Safe to use from every thread; each has its own connection."""

    def __init__(
        self,
        tenant: str,
        credential: Credential,
        base_url: str | None,
        retries: int,
        longest_wait: float,
        timeout: float,
        context: ssl.SSLContext | None,
    ) -> None:
        self._tenant = tenant
        self._credential = credential
        faults = faults_of(check_slug, tenant)
        if faults:
            raise InvalidValue("the tenant is invalid", faults)
        self._base = urllib.parse.urlsplit(base_url or deployment.base_url(tenant))
        if self._base.scheme not in ("http", "https") or not self._base.hostname:
            raise ValueError(f"base_url is no http or https address: {base_url}")
        self._retries = retries
        self._longest_wait = longest_wait
        self._timeout = timeout
        self._context = context or ssl.create_default_context()
        self._local = threading.local()

    def send(
        self,
        method: str,
        path: str,
        parameters: Sequence[Parameter],
        status: int,
        answer: Check | None,
        body: tuple[object, Check] | None = None,
    ) -> Answer[T]:
        """Sends the request until it is answered or there is no point in going on."""
        target, headers, content = self._request(method, path, parameters, body)
        attempt = 0
        while True:
            last = attempt >= self._retries
            response = self._once(method, target, headers, content, last)
            wait = self._back_off(attempt)
            if response is not None:
                wait = self._wait_after(response, wait)
                again = not last and response.status in (429, 503)
                if not again or wait > self._longest_wait:
                    return self._read(response, status, answer)
            time.sleep(wait)
            attempt += 1

    def close(self) -> None:
        """Closes this thread's connection; the next request opens another."""
        connection = cast("http.client.HTTPConnection | None", getattr(self._local, "connection", None))
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _request(
        self, method: str, path: str, parameters: Sequence[Parameter], body: tuple[object, Check] | None
    ) -> tuple[str, dict[str, str], bytes | None]:
        given = [
            (place, name, each, check)
            for place, name, value, check in parameters
            for each in (value if isinstance(value, (list, tuple)) else [] if value is None else [value])
        ]
        faults: list[Fault] = []
        for _, name, each, check in given:
            check(each, name, faults)
        if body is not None:
            body[1](body[0], "", faults)
        if faults:
            raise InvalidValue("the request is invalid", faults)
        headers = {"Accept": "application/json, application/problem+json"}
        query: list[tuple[str, str]] = []
        for place, name, each, _ in given:
            if place == "path":
                path = path.replace("{" + name + "}", urllib.parse.quote(str(each), safe=""))
            elif place == "query":
                query.append((name, str(each)))
            else:
                headers[name] = str(each)
        if "header" in deployment.SIGNALS:
            headers["Caisson-Tenant"] = self._tenant
        # A write that is sent twice happens once.
        if any(parameter.name == "Idempotency-Key" for parameter in parameters):
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        credential = self._credential if isinstance(self._credential, str) else self._credential()
        faults = faults_of(_check_credential, credential)
        if faults:
            raise InvalidValue("the credential is invalid", faults)
        headers["Authorization"] = f"Bearer {credential}"
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body[0], allow_nan=False, separators=(",", ":")).encode()
        target = self._base.path.rstrip("/") + path
        return target + ("?" + urllib.parse.urlencode(query) if query else ""), headers, content

    def _once(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, last: bool
    ) -> _Response | None:
        """One try; None when it is worth another."""
        try:
            connection = self._connection()
            connection.request(method, target, body=content, headers=headers)
            response = connection.getresponse()
            return _Response(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if last:
                raise ConnectionFailed(f"no answer from {self._base.netloc}: {error}") from error
            return None

    def _connection(self) -> http.client.HTTPConnection:
        connection = cast("http.client.HTTPConnection | None", getattr(self._local, "connection", None))
        if connection is None:
            host, port = self._base.hostname or "", self._base.port
            if self._base.scheme == "https":
                connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._context)
            else:
                connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
            self._local.connection = connection
        return connection

    def _back_off(self, attempt: int) -> float:
        """Twice as long every time, and never the same for two clients."""
        return min(self._longest_wait, _FIRST_WAIT * 2.0**attempt * random.uniform(0.5, 1.0))

    @staticmethod
    def _wait_after(response: _Response, otherwise: float) -> float:
        """How long the server asks to wait, in seconds."""
        asked = response.headers.get("Retry-After")
        if asked is None:
            return otherwise
        if asked.isascii() and asked.isdigit():
            return float(asked)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
        except ValueError:
            return otherwise

    @staticmethod
    def _read(response: _Response, status: int, answer: Check | None) -> Answer[T]:
        if response.status == 304:
            raise NotModified("the record still has this version")
        if response.status != status:
            raise _problem_of(response)
        value: object = None
        if answer is not None:
            value = _parsed(response.body)
            faults = faults_of(answer, value)
            if faults:
                raise UnexpectedAnswer(response.status, faults)
        return Answer(cast(T, value), response.status, cast("Mapping[str, str]", response.headers))


def _parsed(body: bytes) -> object:
    try:
        return cast(object, json.loads(body))
    except ValueError:
        return None


def _problem_of(response: _Response) -> ApiProblem | UnexpectedAnswer:
    body = _parsed(response.body)
    if faults_of(check_problem, body):
        return UnexpectedAnswer(response.status)
    return error_for(cast(Problem, body))
