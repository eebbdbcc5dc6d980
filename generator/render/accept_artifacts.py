#!/usr/bin/env python3
"""Holds a generated tree against parsers that Caisson's authors did not write.

usage: accept_artifacts.py SCHEMA TREE

Every YAML file is read by PyYAML (YAML 1.1), every JSON file by Python; compose.yaml must satisfy the schema of the
Compose Specification. Prints what is wrong; the exit status says whether anything is.
"""

import json
import pathlib
import sys

import jsonschema
import yaml


class UniqueKeys(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; here they are an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.YAMLError(f"duplicate key at line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    tree = pathlib.Path(sys.argv[2])
    problems, files = [], 0
    for path in sorted(tree.rglob("*")):
        # What Helm makes of a chart's templates is looked at in accept_chart.py.
        if path.suffix not in (".yaml", ".json") or "templates" in path.parts:
            continue
        files += 1
        try:
            document = json.loads(path.read_text()) if path.suffix == ".json" else yaml.load(path.read_text(), UniqueKeys)
        except (ValueError, yaml.YAMLError) as error:
            problems.append(f"{path}: {error}")
            continue
        if path.name == "compose.yaml":
            for error in jsonschema.Draft7Validator(schema).iter_errors(document):
                problems.append(f"{path}:/{'/'.join(map(str, error.path))}: {error.message}")
    print("\n".join(problems) if problems else f"{files} files accepted")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
