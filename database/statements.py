"""The statements of a migration that PostgreSQL refuses to run inside a transaction.

Such a file begins with the line `-- migrate: no transaction`. Its statements are sent one by one, so
a run that dies leaves some of them done, and the next run begins with the first again: each must be
safe to repeat. `REPEATABLE` are the forms that are.
"""

import re

MARKER = "-- migrate: no transaction"

# An index that was not finished stays behind as invalid: drop it first, then build it.
REPEATABLE = (
    r"DROP INDEX CONCURRENTLY IF EXISTS",
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY",
    r"REINDEX \w+ CONCURRENTLY",
    r"ALTER TYPE \S+ ADD VALUE IF NOT EXISTS",
    r"(VACUUM|ANALYZE)\b",
    r"ALTER TABLE \S+ VALIDATE CONSTRAINT",
)
# Comments, quoted text in its three forms, quoted names, and what ends a statement.
_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|;",
    re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_BUILDS = re.compile(
    r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\S+)", re.IGNORECASE
)


def outside_transaction(sql: str) -> bool:
    return sql.lstrip().startswith(MARKER)


def statements(sql: str) -> list[str]:
    """Each statement without its semicolon, in order; what holds comments alone is left out."""
    found, start = [], 0
    for token in _TOKEN.finditer(sql):
        if token[0] == ";":
            found.append(sql[start : token.start()])
            start = token.end()
    found.append(sql[start:])
    return [each.strip() for each in found if _COMMENT.sub("", each).strip()]


def faults(sql: str) -> list[str]:
    """What keeps the statements of a marked file from being safe to repeat."""
    plain = [" ".join(_COMMENT.sub("", each).split()) for each in statements(sql)]
    allowed = re.compile("|".join(REPEATABLE), re.IGNORECASE)
    unsafe = [f"{each[:60]!r} is not safe to repeat" for each in plain if not allowed.match(each)]
    for number, each in enumerate(plain):
        builds = _BUILDS.match(each)
        drop = f"DROP INDEX CONCURRENTLY IF EXISTS {builds[1]}" if builds else ""
        if builds and drop.lower() not in {one.lower() for one in plain[:number]}:
            unsafe.append(f"{builds[1]} must be dropped before it is built: {drop};")
    return unsafe
