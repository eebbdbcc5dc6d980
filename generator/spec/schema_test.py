#!/usr/bin/env python3
"""The JSON Schema of the language, judged by an independent validator.

It accepts every valid spec and every example, and refuses every invalid one whose fault is a key, a
kind or a missing value.
"""

import json
import pathlib
import re
import sys

import jsonschema
import yaml


class CoreLoader(yaml.SafeLoader):
    """Plain scalars as YAML 1.2's core schema reads them: no dates, no `yes`."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"^(true|false)$", "tf"),
    ("null", r"^(null|~|)$", ["n", "~", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?$", "-+0123456789"),
]:
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def load(path):
    return yaml.load(path.read_text(encoding="utf-8-sig"), CoreLoader)


def main():
    root = pathlib.Path(sys.argv[1])
    schema = json.loads((root / "specs/schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = []

    accepted = sorted((root / "specs/valid").glob("*.yaml")) + sorted(root.glob("examples/*/deployment.yaml"))
    for path in accepted:
        for error in validator.iter_errors(load(path)):
            failures.append(f"{path.name}: refused: {error.json_path}: {error.message}")

    refused = [
        path
        for prefix in ("key-", "kind-", "one-of-")
        for path in sorted((root / "specs/invalid").glob(f"{prefix}*.yaml"))
    ]
    for path in refused:
        if validator.is_valid(load(path)):
            failures.append(f"{path.name}: accepted, but it is invalid")

    if len(accepted) < 23 or len(refused) < 15:
        failures.append(f"only {len(accepted)} valid and {len(refused)} invalid cases found")
    print("\n".join(failures) or f"{len(accepted)} accepted, {len(refused)} refused")
    return 1 if failures else 0


sys.exit(main())
