#!/usr/bin/python3
"""Every message has an example in schema/examples, and every example satisfies its schema."""

import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema"
STORED = {"store_meta", "token_record"}  # never on the bus


def main():
    schemas = {path.name.split(".")[0]: path for path in (SCHEMA / "json").glob("*.schema.json")}
    examples = {path.stem: path for path in (SCHEMA / "examples").glob("*.json")}
    failures = [f"{name} has no example" for name in schemas.keys() - examples.keys()]
    failures += [f"{name} has no schema" for name in examples.keys() - schemas.keys() - STORED]
    for name in sorted(schemas.keys() & examples.keys()):
        validator = jsonschema.Draft7Validator(json.loads(schemas[name].read_text()))
        validator.check_schema(validator.schema)
        example = json.loads(examples[name].read_text())
        failures += [f"{name}: {error.message}" for error in validator.iter_errors(example)]
        for key in example:
            if validator.is_valid({**example, key: object()}):
                failures.append(f"{name}: {key} may be anything")
        if validator.is_valid({**example, "unknown_key": 1}):
            failures.append(f"{name}: unknown keys pass")
    print("\n".join(failures) or f"{len(schemas)} schemas, {len(examples)} examples")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
