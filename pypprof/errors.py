"""The exceptions that pypprof raises on purpose.

PprofError                 one clear line for the user; exit status 1
 ├── UsageError            the command line is wrong; exit status 2
 ├── CommandError          a shell line is wrong; the shell goes on
 ├── BadRegex              a regular expression does not compile
 ├── BinaryError           a program file cannot be read
 │    └── NoBinary         it is not there
 └── ProfileError          the input is not a valid profile
      ├── Malformed        bytes that do not decode
      ├── Unrecognized     no decoder claims the bytes
      └── Invalid          decodes, but breaks a rule of the format
"""


class PprofError(Exception):
    """Base of all expected failures. str(error) is the line that the user sees."""

    status = 1


class UsageError(PprofError):
    """Wrong flags or arguments."""

    status = 2


class CommandError(PprofError):
    """A line typed in the shell cannot be run."""


class BadRegex(PprofError):
    """A pattern is not valid RE2 syntax."""


class BinaryError(PprofError):
    """A program, library or debug file cannot be used."""


class NoBinary(BinaryError):
    """There is no file of that name."""


class ProfileError(PprofError):
    """The input cannot be used as a profile."""


class Malformed(ProfileError):
    """The bytes break the encoding (truncated, wrong type, bad index)."""


class Unrecognized(ProfileError):
    """No known profile format."""


class Invalid(ProfileError):
    """The profile decodes but is inconsistent (dangling ids, wrong counts)."""
