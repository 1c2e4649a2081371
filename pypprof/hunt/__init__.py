"""The leak hunt's commands: record, trend, check."""

from __future__ import annotations

from collections.abc import Sequence

_USAGE = {
    "record": """\
usage: pypprof record URL [-every 30s] [-for 2h | -count N] [-kinds heap,goroutine] -dir DIR

Takes snapshots of a running Go program that serves net/http/pprof, one file each, for pypprof trend.

    -every 30s          time between snapshots: 500ms, 30s, 5m, 2h
    -for 2h             stop after that time; -count N after N rounds; without either at Ctrl-C
    -kinds heap,goroutine
                        also: allocs, block, mutex, threadcreate
    -dir DIR            made if it does not exist; the same command again goes on where it was
    -keep 500           most files of one kind; older ones are thinned out, the newest half never
    -max_size 1GB       most disk space of all snapshots together
    -gc=false           do not ask for a garbage collection before each heap profile
    -timeout 60         seconds to wait for one answer
    -tls_cert, -tls_key, -tls_ca, -header
                        as for profiles from servers
    -quiet              no progress line; there is none without a terminal either
""",
    "trend": """\
usage: pypprof trend [options] [binary] DIR | files ...

What grows over many profiles, how fast, since when, and who asks for it. A directory stands for
the profiles in it; each kind among them (heap, goroutine ...) is followed by itself.

    -sample_index NAME  inuse_space, inuse_objects, goroutine; alloc_space and the like as rates
    -trend_by KIND      what is followed: function, leaf, stack, label:KEY
    -memory_limit 512MB says when the heap reaches that size
    -lines, -files ...  granularity; -focus, -ignore, -tagfocus and all other filters apply
    -cum                follow what a function and all that it calls hold
    -json, -csv, -html  for programs, for spreadsheets, as a web page in one file
    -output FILE        write there
""",
    "check": """\
usage: pypprof check -base a.pb.gz ... -head b.pb.gz ... [-max-growth 10%] [options]

Compares two sets of profiles of the same work and prints Markdown. Exit status 1 when a function
has grown by more than -max-growth and more than its noise explains, 0 otherwise.

    -base, -head        one profile or several each; more of them say more about noise
    -max-growth 10%     growth that is allowed; 0.1 is the same
    -min-share 1%       functions below this share of the total, before and after, do not count
    -sample_index, -trend_by, -cum, granularity and filters as for reports
    -json               for programs;  -output FILE  write there
""",
}


def usage(name: str) -> str:
    return _USAGE[name]


def wants_help(argv: Sequence[str]) -> bool:
    return any(token in ("-h", "-help", "--help", "--h") for token in argv)
