"""Every error Vivienne raises on purpose.

::

    VivienneError
    ├── SettingsError            a boot setting is wrong: the program does not start
    │   └── NotNow               it is right, and cannot be met now, such as a port that is in use
    ├── ExchangeError            an exchange cannot be reached, refuses, or sends what cannot be right
    ├── MarketDataError          a data file is missing, unreadable or wrong at a line
    ├── FileUnreadable           a configuration file is missing, is not YAML, or cannot be written
    ├── ImportRefused            the content of such a file was refused; carries one or more findings
    ├── NotSwitched              a pause or resumption from the command line was not made
    ├── StoreError               the database of revisions
    │   ├── StoreUnusable        it cannot be opened: not a database, read-only, in use, out of reach
    │   ├── StoreUnavailable     it was open, and now does not take or give revisions
    │   └── VersionTaken         it has a revision of that version already: another process was first
    ├── RecordUnavailable        the record of decisions cannot be opened, read or written
    ├── NotRecorded              the record was asked for, and this process keeps none
    ├── UnknownDecision          the record has no decision on this bar
    ├── AgentUnavailable         the agent that decides an asset does not answer
    ├── NotPushed                market data was pushed to a market with another feed
    ├── NotAllowed               the caller may not do this
    ├── NotKnown                 the caller is unknown: a token is required
    ├── NameTaken                there is a token of this name, or was one
    ├── UnknownToken             there is no valid token of this name
    ├── SecretUnavailable        a secret of an alert rule cannot be encrypted, decrypted or found
    └── ChangeRefused            a change that was not made; carries one or more problems
        ├── Malformed            not JSON, not an object, a message without a type
        ├── TooLarge             longer than a message may be
        ├── InvalidConfiguration values, names or rules
        ├── UnknownTarget        no such asset, agent or strategy
        ├── UnknownRevision      no such config_id
        ├── UnknownAlert         no such alert rule, or delivery of an alert
        ├── VersionConflict      the configuration moved on since the caller read it
        ├── RequestIdReused      the request_id was already used for another change
        ├── Forbidden            the caller's token does not allow changes
        ├── TooManyRequests      a rate limit is reached
        ├── NotStored            the store did not take it, or did not answer in time
        └── Defect               something in Vivienne itself failed

Foreign errors (SQLAlchemy, pydantic, orjson, the operating system) are translated where they enter and
never reach a caller.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class VivienneError(Exception):
    """The root: whatever Vivienne raises on purpose."""


class SettingsError(VivienneError):
    """A boot setting is wrong."""


class NotNow(SettingsError):
    """A boot setting is right and cannot be met now; later it may be."""


class ExchangeError(VivienneError):
    """An exchange cannot be reached, refuses, or sends what cannot be right.

    Attributes:
        is_temporary: later it may work, without anybody changing anything.
    """

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        self.is_temporary = is_temporary
        super().__init__(message)


class MarketDataError(VivienneError):
    """Market data cannot be read, or is wrong.

    Attributes:
        path: the file.
        reason: what is wrong, and what would be right.
        line: the line in it, or the row of a table, counted from 1, or None when the whole file is meant.
        member: the file in an archive that is meant.
    """

    def __init__(
        self, path: object, reason: str, *, line: int | None = None, member: str | None = None, unit: str = "line"
    ) -> None:
        self.path = str(path)
        self.reason = reason
        self.line = line
        self.member = member
        where = [self.path, *([member] if member else []), *([f"{unit} {line}"] if line is not None else [])]
        super().__init__(f"{', '.join(where)}: {reason}")


class NotSwitched(VivienneError):
    """A pause or resumption from the command line was not made."""


class FileUnreadable(VivienneError):
    """A configuration file cannot be read, or written.

    Attributes:
        name: the file.
        reason: what is wrong with it.
        line: the line in it, counted from 1, or None when the whole file is meant.
    """

    def __init__(self, name: str, reason: str, *, line: int | None = None) -> None:
        self.name = name
        self.reason = reason
        self.line = line
        super().__init__(f"{name if line is None else f'{name}, line {line}'}: {reason}")


def unwritable(file: object, error: OSError) -> VivienneError:
    """The error of a file that cannot be written. On a full disk there may be space later."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotNow(f"The disk is full ({file}); make space, and run the same command again")
    return FileUnreadable(str(file), f"it cannot be written: {error.strerror}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem with the content of a configuration file.

    Attributes:
        layer: ``global``, an asset, or None for the file as a whole.
        path: where in the layer, in dots; empty when all of it is meant.
        line: in the file, counted from 1; None when it is not in there.
        message: a sentence for a person.
    """

    layer: str | None
    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = [f"line {self.line}" if self.line else "", self.layer or "", self.path]
        where = ", ".join(part for part in place if part)
        return f"{where}: {self.message}" if where else self.message


class ImportRefused(VivienneError):
    """The content of a configuration file was refused: nothing was stored and nothing is different.

    Attributes:
        findings: all problems at once, in the order of the file.
    """

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda each: each.line or 0))
        listed = "".join(f"\n  {finding}" for finding in self.findings)
        super().__init__(f"{name} was refused and nothing was changed:{listed}")


class StoreError(VivienneError):
    """The database of revisions failed."""


class StoreUnusable(StoreError):
    """The database cannot be opened.

    Attributes:
        is_temporary: nobody has to change anything, such as when another process has it open.
    """

    def __init__(self, message: str, *, is_temporary: bool = False) -> None:
        self.is_temporary = is_temporary
        super().__init__(message)


class StoreUnavailable(StoreError):
    """The database was open and does not answer any more.

    Attributes:
        is_lost: it cannot be reached, so that asking it again tells whether it is back; otherwise it refused.
        is_temporary: nobody has to change anything; otherwise it is damaged, or a right is missing.
    """

    def __init__(self, message: str, *, is_lost: bool = False, is_temporary: bool = True) -> None:
        self.is_lost = is_lost
        self.is_temporary = is_temporary
        super().__init__(message)


class StoreReplaced(StoreUnavailable):
    """The database has lost revisions that are in force here, or is another one."""


class VersionTaken(StoreError):
    """The database has a revision of this version, config_id or request_id already; nothing was added."""


class TokenRefused(StoreError):
    """The database does not accept the token under which something was to be stored; nothing was."""


class RecordUnavailable(VivienneError):
    """The record of decisions cannot be opened, read or written.

    Attributes:
        reason: why, in words: the rest of a sentence that begins with the record.
        is_new: nothing was recorded yet, which is no fault.
        is_old: its tables are those of an earlier version; opened to be written, they are brought up to date.
    """

    def __init__(self, name: str, reason: str, *, is_new: bool = False, is_old: bool = False) -> None:
        self.reason = reason
        self.is_new = is_new
        self.is_old = is_old
        super().__init__(f"The record {name} {reason}")


class NotRecorded(VivienneError):
    """The record was asked for, and this process keeps none."""


class UnknownDecision(VivienneError):
    """The record has no decision on this bar."""


class AgentUnavailable(VivienneError):
    """The agent that decides an asset is missing, or does not answer."""


class NotPushed(VivienneError):
    """Market data was pushed to a market that has another feed."""


class NotKnown(VivienneError):
    """The caller is unknown: a token is required, and none or an invalid one was sent."""


class NotAllowed(VivienneError):
    """The caller is known, and may not do this."""


class NameTaken(VivienneError):
    """The name is or was that of a token; nothing was added."""


class UnknownToken(VivienneError):
    """There is no valid token of this name."""


class SecretUnavailable(VivienneError):
    """A secret of an alert rule cannot be encrypted, decrypted or found in the environment."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with a change.

    Attributes:
        path: where, in dots (``settings.state_threshold_bang``); empty when the message as a whole is meant.
        message: a sentence for a person: what was wrong and what would be right.
        asset: the asset whose effective configuration would break, where that is not the one addressed.
    """

    path: str
    message: str
    asset: str | None = None


class ChangeRefused(VivienneError):
    """A change that was not made. Nothing was stored and nothing is different.

    Attributes:
        code: a stable word for programs.
        title: the same for people.
        problems: all problems at once.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The change was refused"

    def __init__(self, problems: Sequence[Problem] | Problem | str, *, path: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(path, problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class Malformed(ChangeRefused):
    """The message cannot be read."""

    code = "malformed"
    title = "The message cannot be read"


class TooLarge(ChangeRefused):
    """The message is longer than a message may be."""

    code = "too_large"
    title = "The message is too large"


class InvalidConfiguration(ChangeRefused):
    """A value, a name or a rule between values is wrong."""

    code = "invalid_configuration"
    title = "The configuration is not valid"


class UnknownTarget(ChangeRefused):
    """The asset, agent or strategy addressed does not exist."""

    code = "unknown_target"
    title = "Unknown target"


class UnknownRevision(ChangeRefused):
    """The config_id addressed does not exist."""

    code = "unknown_config_id"
    title = "Unknown configuration"


class UnknownAlert(ChangeRefused):
    """The alert rule, or the delivery of an alert, does not exist."""

    code = "unknown_alert"
    title = "Unknown alert"


class VersionConflict(ChangeRefused):
    """The configuration moved on since the caller read it."""

    code = "version_conflict"
    title = "The configuration has changed since you read it"


class RequestIdReused(ChangeRefused):
    """The request_id was already used for a different change."""

    code = "request_id_reused"
    title = "The request_id was used for another change"


class Forbidden(ChangeRefused):
    """The caller's token does not allow changes."""

    code = "forbidden"
    title = "The token does not allow this"


class TooManyRequests(ChangeRefused):
    """A rate limit is reached.

    Attributes:
        retry_after: seconds after which to retry.
    """

    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NotStored(ChangeRefused):
    """The store did not take the change."""

    code = "not_stored"
    title = "The change could not be stored"


class Defect(ChangeRefused):
    """Something in Vivienne itself failed; the log says what."""

    code = "internal_error"
    title = "Internal error"

    def __init__(self) -> None:
        super().__init__("This is a defect in Vivienne; see its log. Nothing else is affected")
