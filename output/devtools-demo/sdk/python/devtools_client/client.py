"""The client: every operation, and lists without pages."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Literal, Union

from .models import CollectionCount, Order, StoredRecord
from .operations import Operations
from .transport import Credential, Transport


class Client(Operations):
    """Talks to one tenant. Safe to use from every thread.

    tenant        slug of the tenant; names its host, and is sent as the header Caisson-Tenant where that counts
    credential    an API key or a token, or what gives one whenever one is needed
    base_url      where the tenant answers, when not at its host of this deployment
    retries       how often a request is sent again after 429, 503 or a lost connection
    longest_wait  the longest wait between two tries, in seconds; a longer Retry-After is an error at once
    timeout       the longest time to wait for the connection or for data, in seconds
    context       whom to trust, for https
    """

    def __init__(
        self,
        tenant: str,
        credential: Credential,
        *,
        base_url: str | None = None,
        retries: int = 3,
        longest_wait: float = 30.0,
        timeout: float = 30.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(Transport(tenant, credential, base_url, retries, longest_wait, timeout, context))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes this thread's connection; the next request opens another."""
        self._transport.close()

    def collections(self, *, limit: int | None = None) -> Iterator[CollectionCount]:
        """All collections that have records, one after another; pages of `limit` are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = self.list_collections(limit=limit, cursor=cursor).value
            yield from page["collections"]
            cursor = page["next"]
            if cursor is None:
                return

    def records(
        self, collection: str, *, filter: Sequence[str] = (), order: Order | None = None, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """All records of a list, one after another; pages of `limit` are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = self.list_records(collection, limit=limit, cursor=cursor, filter=filter, order=order).value
            yield from page["records"]
            cursor = page["next"]
            if cursor is None:
                return


def where(
    field: str,
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "prefix"],
    value: Union[None, bool, int, float, str],
) -> str:
    """A filter of a list: where("state", "eq", "open"), where("size.width", "ge", 12)."""
    # As JSON, so that the text "12" is not taken for the number.
    return f"{field}:{op}:{json.dumps(value, allow_nan=False)}"
