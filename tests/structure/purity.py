"""Fails when pure code calls anything that is not on the list below: purity.py [--expect SYMBOL] ARCHIVE…

What the archives need and do not define themselves must be a function of its arguments and of memory alone: no clock,
randomness, socket, file, thread, process, environment, output or foreign library. A list of what is allowed, rather than of
what is not: a new function is forbidden until somebody has thought about it. Logging is no part of the archives: who calls it is
not pure. With --expect, SYMBOL must be found: the check of the check.
"""

import re
import subprocess
import sys

ALLOWED = re.compile(r"""
    mem(chr|cmp|cpy|move|rchr|set) | str(n?case)?(n?cmp|str|len|nlen|n?cpy|r?chr|chrnul|c?spn|pbrk|n?dup|to(d|l|ll|ul|ull)|tok_r)
  | ato(i|l|ll|f) | stp?n?cpy | (__isoc99_)?v?s(n?printf|scanf) | vasprintf | qsort(_r)? | bsearch
  | malloc | calloc | realloc | free | __errno_location | __ctype_\w+ | to(lower|upper)
  | l?l?abs | div | fabs | floor | ceil | round | l?lround | trunc | pow | exp2? | log(2|10)? | sqrt | fm(in|ax|od) | isnan
  | abort | exit | __assert_fail | __stack_chk_fail | __(div|mod|udiv|umod|mul)[dt]i3 | __popcountdi2        # exit, assert: utlist and uthash
  | __(asan|ubsan)_\w+ | _GLOBAL_OFFSET_TABLE_
""", re.VERBOSE)
# base reports a failed assertion and exhausted memory before it aborts, and has the words for errno.
ALLOWED_IN_BASE = re.compile(r"fprintf|fputs|fwrite|stderr|strerror")
LOG = "[log.c.o]"


def symbols(archive, which):
    """(member, symbol) of an archive, without what belongs to logging."""
    listing = subprocess.run(["nm", which, "--extern-only", "--format=posix", archive], capture_output=True, text=True, check=True)
    member = ""
    for line in listing.stdout.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line and not member.endswith(LOG):
            yield member, line.split()[0].split("@")[0]


def allowed(member, symbol):
    return ALLOWED.fullmatch(symbol) or "libargosy_base.a" in member and ALLOWED_IN_BASE.fullmatch(symbol)


def main():
    arguments = sys.argv[1:]
    expected = arguments[1] if arguments[:1] == ["--expect"] else None
    archives = arguments[2:] if expected else arguments
    if not archives:
        sys.exit("no archive was named: nothing was checked")
    ours = {symbol for archive in archives for _, symbol in symbols(archive, "--defined-only")}
    needed = {pair for archive in archives for pair in symbols(archive, "--undefined-only") if pair[1] not in ours}
    breaches = sorted(pair for pair in needed if not allowed(*pair))
    for member, symbol in breaches:
        print(f"{member}: {symbol}")
    print(f"{len(needed)} uses of {len({symbol for _, symbol in needed})} functions from outside, {len(breaches)} of them not allowed")
    sys.exit(expected not in {symbol for _, symbol in breaches} if expected else bool(breaches) or not ours)


main()
