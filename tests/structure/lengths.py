"""Fails past the budgets: functions median 15, nine of ten at most 45, longest 70 lines; a file 500 lines."""

import pathlib
import re
import statistics
import subprocess
import sys

MEDIAN, NINETY, LONGEST, FILE = 15, 45, 70, 500
START = re.compile(r"^[A-Za-z_].*\)\s*\{\s*$")


def functions(lines):
    """(first line, length) of each function: a body that opens and closes in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and (line == "{" or START.match(line)):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start + 1
            start = None


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    found, lengths = [], []
    for path in files:
        lines = pathlib.Path(path).read_text().split("\n")
        if len(lines) > FILE:
            found.append(f"{path}: {len(lines)} lines")
        for start, length in functions(lines):
            lengths.append(length)
            if length > LONGEST:
                found.append(f"{path}:{start}: a function of {length} lines")
    lengths.sort()
    median, ninety = statistics.median(lengths), lengths[len(lengths) * 9 // 10]
    print("\n".join(found))
    print(f"{len(lengths)} functions: median {median:g} lines, nine of ten at most {ninety}, longest {lengths[-1]}")
    sys.exit(bool(found) or median > MEDIAN or ninety > NINETY)


main()
