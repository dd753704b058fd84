"""Fails when an archive of pure code needs a symbol for clocks, randomness, files, sockets, threads, processes, output or a
foreign library: purity.py [--expect-breach] ARCHIVE…"""

import re
import subprocess
import sys

IMPURE = re.compile(r"""^(
    time|gettimeofday|clock(_\w+)?|nanosleep|usleep|sleep|timerfd_\w+|localtime\w*|gmtime\w*|mktime|strftime   # clocks
  | rand\w*|s?random\w*|arc4random\w*|getrandom|getentropy|[delmn]rand48                                        # randomness
  | f?open\w*|fdopen|creat|read|write|pread|pwrite|close|f(read|write|puts|putc|gets|close|flush|printf)|puts|putchar|v?printf
  | stat\w*|lstat|mkdir|unlink|rename|opendir|readdir|mmap|ioctl|std(in|out|err)                                # files
  | socket|bind|listen|accept\w*|connect|send\w*|recv\w*|getaddrinfo|poll|ppoll|select|epoll_\w+                # sockets
  | pthread_\w+|thrd_\w+|mtx_\w+|fork|exec\w*|system|popen|posix_spawn\w*|kill|sig\w+action|getenv|setenv|getpid # processes
  | log_(write|init)
  | (MQTT|mdb_|curl_|cJSON_|uv_|fy_|scols_|SSL_|EVP_)\w+
)$""", re.VERBOSE)


def undefined(archive):
    listing = subprocess.run(["nm", "-u", "--format=posix", archive], capture_output=True, text=True, check=True).stdout
    member = ""
    for line in listing.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line:
            yield member, line.split()[0].split("@")[0]


def main():
    arguments = sys.argv[1:]
    expect_breach = arguments[:1] == ["--expect-breach"]
    archives = arguments[1:] if expect_breach else arguments
    if not archives:
        sys.exit("no archive was named: nothing was checked")
    breaches = [(member, symbol) for archive in archives for member, symbol in undefined(archive) if IMPURE.match(symbol)]
    for member, symbol in breaches:
        print(f"{member}: {symbol}")
    sys.exit(bool(breaches) != expect_breach)


main()
