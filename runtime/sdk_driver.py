"""Drives the generated Python client for tests: a request a line on stdin, its outcome a line on stdout.

sdk_driver.py PACKAGE BASE_URL TENANT        the credential is in CREDENTIAL, the package on PYTHONPATH
"""

import importlib
import json
import os
import re
import sys

package, base_url, tenant = sys.argv[1:]
sdk = importlib.import_module(package)
validators = importlib.import_module(package + ".validators")
client = sdk.Client(tenant, os.environ["CREDENTIAL"], base_url=base_url)


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def told(answer):
    return {"value": answer.value, "etag": answer.etag, "replayed": answer.replayed}


def options(request):
    return {snake(name): value for name, value in request.get("options", {}).items()}


def listed(request):
    filters = [sdk.where(*parts) for parts in request["filters"]]
    return list(client.records(request["collection"], limit=request["limit"], order=request["order"], filter=filters))


def checked(request):
    faults = sdk.faults_of(getattr(validators, "check_" + snake(request["schema"])), request["value"])
    return {"faults": [fault._asdict() for fault in faults]}


DOERS = {
    "whoami": lambda r: told(client.who_am_i()),
    "collections": lambda r: {"value": list(client.collections(limit=r["limit"]))},
    "create": lambda r: told(client.create_record(r["collection"], r["value"], **options(r))),
    "read": lambda r: told(client.read_record(r["collection"], r["id"], **options(r))),
    "replace": lambda r: told(client.replace_record(r["collection"], r["id"], r["value"], **options(r))),
    "delete": lambda r: told(client.delete_record(r["collection"], r["id"], **options(r))),
    "batch": lambda r: told(client.run_batch(r["body"])),
    "credential": lambda r: told(sdk.Client(tenant, r["credential"], base_url=base_url).who_am_i()),
    "ticket": lambda r: told(client.issue_ticket()),
    "list": lambda r: {"value": listed(r)},
    "check": checked,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        outcome = DOERS[request["do"]](request)
    except Exception as error:
        faults = [fault._asdict() for fault in getattr(error, "faults", [])]
        outcome = {"error": type(error).__name__, "code": getattr(error, "code", None), "message": str(error), "faults": faults}
    print(json.dumps(outcome), flush=True)
