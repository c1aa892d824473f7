"""What the patterns of settings that stand in one place alone ask for, in words."""

from __future__ import annotations

PATTERN_TEXTS = {
    r"^https?://[^/\s?#`]+(/[A-Za-z0-9._~-]+)*$": (
        "an address that begins with http:// or https:// and a host, with a path or none, without a slash at its end"
    ),
    r"^(unix:///|npipe://|tcp://|ssh://).+$": "an address that begins with unix:///, npipe://, tcp:// or ssh://",
    r"^[1-9][0-9]*[kmg]$": "a whole number and a unit of k, m or g, such as 50m",
    r"^/[A-Za-z0-9._~/-]*$": "a path that begins with a slash, of letters, digits and the signs . _ ~ - /",
    r"^([#@].+|[A-Z0-9]{6,})$": "a channel after #, a person after @, or the number of a channel, such as C0123456789",
    r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$": (
        "folders of letters, digits and the signs . _ -, without a slash at either end"
    ),
    r"^([A-Za-z0-9._-]+|[0-9a-fA-F:]+)$": "the name or address of a machine, without a port",
    r"^[a-z_][a-z0-9_-]*$": "the name of a user, in lower case",
    r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*$": (
        "a public key as ssh-keyscan prints it behind the machine's name, such as ssh-ed25519 AAAAC3Nza..."
    ),
    r"^[^=\s]+(=[^\s]*)?$": "the name of a label, or name=value",
    r"^[^@\s]+@[^@\s]+$": "a mail address",
    r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$": "letters, digits and the signs _ . @ -, of which _ alone may come first",
    r"^[a-z0-9]+$": "lower-case letters and digits",
    r"^[A-Z][A-Z0-9_]*$": "capitals, digits and underscores, a capital first",
    r"^[^\s:]+:[0-9]+$": "a host and a port, host:port",
    r"^[^'\\]+$": "text without single quotes and backslashes",
    r"^[a-z0-9.-]+$": "lower-case letters, digits, dots and dashes",
    r"^(\*|[a-z0-9.-]+)$": "a domain, or * for any",
    r"^\S+$": "text without spaces",
    r"^[^\s\"'\\{}]+$": "text without spaces, quotes, backslashes and braces",
    r"^[A-Z][A-Za-z0-9]*$": "letters and digits, a capital first, such as QueueTooLong",
    r"^[a-zA-Z0-9_-]{1,40}$": "letters, digits, underscores and dashes, 40 at most",
    r"^[a-z0-9]+([._/:-]+[a-z0-9]+)*$": "the name of an image without its tag, in lower case",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$": "128 letters, digits, underscores, dots and dashes at most",
    r"^sha256:[0-9a-f]{64}$": "sha256: and 64 digits of 0 to 9 and a to f",
    r"^[0-9]+(\.[0-9]+){0,3}$": "numbers with dots between them, such as 3.15",
    r"^https://": "an address that begins with https://",
    r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$": "the name of a header: letters, digits and dashes",
}
"""As it completes "must be ..."; a test looks that each pattern of a file that people write has its words."""
