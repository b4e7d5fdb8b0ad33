"""The interface of a store of revisions and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from vivienne.store.alert import AlertStore
    from vivienne.store.revision import Begun, Revision
    from vivienne.store.token import Token
    from vivienne.wire.answers import ValueChange


Opening = Literal["alone", "as it is", "beside", "to read"]
"""How a database is opened. A server opens it ``alone``, and only then is one of an earlier version migrated: others
refuse it, because processes of that version may be running on it. A SQLite file that is opened ``alone`` or
``as it is`` is refused while another process has it open in one of these ways. The others do not care: ``beside`` is
for changes of tokens or answers, which no configuration depends on, and ``to read`` for everything that changes
nothing. The last one does not make the tables of a new database either."""

TicketLimit = Literal["token", "all"]
"""Limits of unused tickets: of one token, and of all."""


class Outline(NamedTuple):
    """The parts of a revision that it can be found by."""

    version: int
    layer: str
    author: str
    channel: str
    created_at: str
    reason: str | None
    changed: list[ValueChange]


class TicketStore(Protocol):
    """Where tickets live that are valid at every process. Methods raise `StoreUnavailable` like those of the others."""

    def add_ticket(
        self, digest: str, token_digest: str, seconds: float, most: dict[TicketLimit, int]
    ) -> TicketLimit | None:
        """Add one that stands for a token for so many seconds; tell which limit is reached, if one is."""

    def take_ticket(self, digest: str) -> str | None:
        """Remove one, for all processes; give the digest of its token. None if it is unknown, used or expired."""


class TokenStore(Protocol):
    """Where tokens live. Methods block; they raise `StoreUnavailable` when the store does not answer."""

    @property
    def tickets(self) -> TicketStore | None:
        """Tickets of all processes; None where there is only one, which keeps its own."""

    def tokens(self) -> list[Token]:
        """Every token, revoked ones too, oldest first."""

    def add_token(self, token: Token, under: str | None = None) -> None:
        """Add one; on return it is on disk.

        Args:
            token: to add.
            under: as `RevisionStore.append`.

        Raises:
            TokenRefused: as `RevisionStore.append`.
            NameTaken: there is or was one of this name, in any case.
        """

    def rotate_token(self, name: str, digest: str, expires_at: str | None, earlier_until: str) -> Token | None:
        """Give a token another secret; on return that is on disk. None when no token of this name is kept.

        Args:
            name: of the token.
            digest: of the new secret.
            expires_at: when it expires from now on.
            earlier_until: until when the secret that it had is accepted too.
        """

    def replace_token(self, token: Token) -> None:
        """Replace the token of this name; on return that is on disk."""

    def revoke_token(self, name: str, when: str, under: str | None = None) -> Token | None:
        """Revoke one; on return that is on disk. None if the name is not that of a valid token.

        Args:
            name: of the token.
            when: ISO 8601 UTC.
            under: as `RevisionStore.append`; it may be the one that is revoked.

        Raises:
            TokenRefused: as `RevisionStore.append`.
        """


class RevisionStore(TokenStore, Protocol):
    """Where revisions live. Methods block; they raise `StoreUnavailable` when the store does not answer.

    Used from one thread at a time.
    """

    @property
    def is_shared(self) -> bool:
        """True when other processes may append to it too."""

    @property
    def alerts(self) -> AlertStore:
        """Alerts and their deliveries. Their rules are revisions."""

    def heads(self) -> list[Revision]:
        """The newest revision of each layer."""

    def switches(self) -> list[Revision]:
        """The newest pause or resumption of each layer that has one."""

    def alerts_begun(self) -> dict[str, Begun]:
        """By layer of an alert rule, when its first revision was made, and by whom."""

    def active_ids(self) -> dict[str, str]:
        """By layer, the config_id in force: the newest configuration that is not deleted."""

    def active_id(self, layer: str, version: int) -> str | None:
        """The config_id that was in force in a layer right after this version."""

    def append(self, *appended: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        """Add revisions, all or none, even in a crash; on return they are on disk.

        Args:
            appended: the revisions.
            under: digest of the secret of who asks, which has to be accepted in the same moment; None for no secret.
            ends: version and time of the entry of a pause that they end, which has to be so in the same moment.

        Raises:
            TokenRefused: it is not accepted, as its token was revoked. Nothing was added.
            VersionTaken: there is one of a version, config_id or request_id of a requester already, or a later pause
                shares the entry of the one that ends. Nothing was added.
            StoreUnavailable: they may have been added all the same; ask `was_appended` for the last of them.
        """

    def repeat_pause(self, version: int, config_id: str, created_at: str, under: str | None = None) -> str | None:
        """Let the entry of a pause be that of another one too; on return it is on disk.

        Args:
            version: of the entry.
            config_id: of the entry.
            created_at: when the other one was asked for; the later of the two times counts.
            under: as `append` has it.

        Returns:
            The time that the entry has by now; None if the store does not have it, or if its layer was paused or
            resumed since.

        Raises:
            TokenRefused: as `append`. Nothing was altered.
            StoreUnavailable: it may have been altered all the same.
        """

    def append_to_replaced(self, *appended: Revision) -> None:
        """Add revisions, all or none, to a database of which `StoreReplaced` was raised; it is followed no more for it.

        Raises:
            VersionTaken: as `append`.
        """

    def was_appended(self, revision: Revision) -> bool:
        """Tell whether an append that failed was committed all the same. The answer is final."""

    def prove(self) -> None:
        """Prove that it can store, by a write that alters nothing. On return all that was appended before is on disk.

        Raises:
            StoreUnavailable: it cannot.
        """

    def after(self, version: int, limit: int) -> list[Revision]:
        """Revisions newer than a version, oldest first, at most so many."""

    def by_config_id(self, config_id: str) -> Revision | None:
        """The revision with this name."""

    def pause_of(self, trace_id: str, layer: str, since: str) -> Revision | None:
        """The newest pause of a layer that a request made since a time, among the last thousand revisions.

        Args:
            trace_id: of the request.
            layer: that was paused.
            since: ISO 8601 UTC.
        """

    def name_of(self, version: int) -> str | None:
        """The config_id of the revision of a version."""

    def times_of(self, versions: Collection[int]) -> dict[int, str]:
        """By version, when it was made; of a pause that is repeated again and again, when for the last time."""

    def switches_named(self, config_ids: Collection[str]) -> dict[tuple[str, str], int]:
        """By config_id and layer, the versions of the pauses and resumptions with these names."""

    def by_request_id(self, requester: str, request_id: str) -> Revision | None:
        """The revision made by this request of this requester, or by an earlier version that kept no requesters."""

    def is_deleted(self, config_id: str) -> bool:
        """Tell whether a later revision deleted it."""

    def before(self, revision: Revision) -> Revision | None:
        """The configuration of the same layer before this one, leaving out deleted ones."""

    def outlines(self, *, layers: Sequence[str] | None, limit: int, before: int | None) -> list[Outline]:
        """The same revisions as a `page`, newest first, without their documents."""

    def page(
        self,
        *,
        layers: Sequence[str] | None,
        limit: int,
        before: int | None,
        configurations_only: bool,
        among: Sequence[int] | None = None,
    ) -> list[Revision]:
        """Revisions, newest first.

        Args:
            layers: only these; None for all.
            limit: at most so many.
            before: only versions below it.
            configurations_only: leave out deleted configurations, and revisions that are not configurations.
            among: only these versions; None for any.
        """

    def fitting(
        self,
        *,
        layers: Sequence[str] | None,
        limit: int,
        before: int | None,
        configurations_only: bool,
        most_bytes: int,
        among: Sequence[int] | None = None,
    ) -> int:
        """The largest `limit` with which a `page` has at most so many bytes; at least 1.

        Counted are documents and changed values, as they are stored.
        """

    def prune_answers(self, before: str, limit: int) -> int:
        """Remove answers that were made before a moment, at most so many; return their number.

        Their revisions stay. A request that is repeated after that is refused, because it has no answer any more.
        """

    def check(self) -> None:
        """Check that the store answers."""

    def check_pages(self, report: Callable[[str], None]) -> list[str]:
        """Check the file itself, beneath its rows.

        Args:
            report: called with each problem, in words.

        Returns:
            What was not checked, and why.
        """

    def close(self) -> None:
        """Close it."""
