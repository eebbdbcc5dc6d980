"""Hooks of schemathesis: what no schema can say about a request, because it depends on those before it."""

import re
import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    # A key that was used for another request is refused; every request here is another.
    if re.fullmatch("[!-~]{1,128}", str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # Only the server makes cursors: one that merely looks right is refused. The clients' tests follow real ones.
    if re.fullmatch("[A-Za-z0-9_-]{23,106}", str((case.query or {}).get("cursor", ""))):
        del case.query["cursor"]
