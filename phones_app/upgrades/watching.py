"""Following phones from load to load: a kind of work that looks at what has become of each, and sends the next one.

All that it needs is in the rows, each change is one transaction under the row's lock, and it says which step it was: a
worker that is killed leaves nothing half done, and two do nothing twice. `due_at` is set ahead while a row is worked on.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import save_recorded
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.gather import LOAD
from phones_app.deployment.models import Deployment, PhoneFile, State
from phones_app.deployment.refusals import UNHEARD
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import look_at
from phones_app.rollout.members import deploy_load, set_sequel
from phones_app.rollout.models import Rollout, RolloutMember, Sequel
from phones_app.upgrades.judgement import FetchedLoad, fault_of, fetched_of, has_reported, is_read
from phones_app.upgrades.keeping import author_of, keep, tidy
from phones_app.upgrades.models import Upgrade
from phones_app.upgrades.registrations import told_by_registration

log = structlog.get_logger(__name__)
UPGRADES = "upgrades"
BATCH = 50
MOST_WOKEN = 1000
# Restarts that end so were heard by no phone: its file lies ready, and is fetched when it starts.
UNANSWERED = (*UNHEARD, "timeout", "no-evidence")
# How often a phone is restarted again that is there and did not hear its restart.
MOST_TRIES = 3
# The load that follows waits for whatever else is done to the phone.
BUSY_PAUSE = timedelta(seconds=10)
FIRST_LOOK, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
GOES_ON = (Sequel.PENDING, Sequel.AWAY)
_TAKEN = (State.CONFIRMED, State.RESTART_ACKNOWLEDGED)


def followed() -> "QuerySet[RolloutMember]":
    return RolloutMember.objects.filter(sequel__in=GOES_ON)


def follow(deployments: Sequence[int]) -> None:
    """Called with the keys of deployments that were uploaded, or have ended, while any is followed."""
    if Upgrade.objects.filter(member__deployment__in=among(deployments)).update(due_at=clock.now()):
        nudge_after_commit(UPGRADES)


class Upgrades(Work):
    name = queue = UPGRADES
    model = Upgrade
    due_field = "due_at"
    batch = BATCH
    # Longer than a batch can take, each phone being asked for five seconds at most.
    claim_time = timedelta(minutes=5)
    account = "account"

    @classmethod
    def due(cls) -> "QuerySet[Upgrade]":
        return Upgrade.objects.filter(due_at__lte=clock.now())

    @classmethod
    def sweep(cls) -> int:
        wake()
        return super().sweep()

    def prepare(self) -> int:
        wake()
        return 0

    def do(self, keys: Sequence[int]) -> None:
        rows = Upgrade.objects.filter(pk__in=among(keys)).select_related("member__deployment", "phone__call_manager")
        awaited = [row for row in rows.defer("phone__web_password") if row.phone and _is_taken(row)]
        look_at([row.phone for row in awaited if row.phone and row.phone.phone_ip and row.phone.is_active])
        said = told_by_registration(_untold(awaited))
        for key in keys:
            settle(key, said.get(key, ""))


_waking = clock.Paced()


def wake() -> None:
    """Have those looked at of which no word came: a process was killed before it could give it, or the phone is back.

    Asked at every nudge, and all phones that are waited for are looked through.
    """
    with _waking as is_time:
        if is_time:
            _wake()


def _wake() -> None:
    unanswered = Q(member__deployment__state=State.FAILED, phone__last_seen_at__gt=F("member__sequel_since"))
    over = Q(member__deployment__state__in=_TAKEN) | Q(member__rollout__finished_at__isnull=False)
    moves = Q(member__sequel=Sequel.PENDING) | Q(unanswered | over, member__sequel=Sequel.AWAY)
    waiting = Upgrade.objects.filter(member__sequel__in=GOES_ON, member__deployment__finished_at__isnull=False)
    waiting = waiting.filter(moves, due_at=None)
    # In their own order PostgreSQL would look through all there ever were.
    if found := list(waiting.order_by().values_list("pk", flat=True)[:MOST_WOKEN]):
        Upgrade.objects.filter(pk__in=among(found)).update(due_at=clock.now())


def _is_taken(upgrade: Upgrade) -> bool:
    """Whether the phone has its file, so that its load is awaited."""
    deployment, sequel = upgrade.member.deployment, upgrade.member.sequel
    return sequel == Sequel.PENDING and deployment.finished_at is not None and deployment.state in _TAKEN


def _untold(upgrades: Sequence[Upgrade]) -> list[Upgrade]:
    """Those whose phone has no status page that was read since its file was uploaded."""
    phones = Phone.objects.filter(is_active=True).only("looked_at", "look_error")
    now = phones.in_bulk([row.phone_id for row in upgrades if row.phone_id])
    return [row for row in upgrades if row.phone_id in now and not is_read(now[row.phone_id], row.member.deployment)]


@transaction.atomic
def settle(key: int, said: str = "") -> None:
    """Have one upgrade say what has become of its phone, and do what follows.

    `said` is the load, or its version, that the phone has registered with, where its status page tells nothing.
    """
    upgrade = (
        Upgrade.objects.select_for_update(of=("self",))
        .filter(pk=key)
        .select_related("member__rollout", "phone")
        .first()
    )
    if upgrade is None:
        return
    upgrade.due_at = None
    member = upgrade.member
    deployment = Deployment.objects.select_related("profile", "revision").get(pk=member.deployment_id)
    phone = upgrade.phone
    if member.sequel not in GOES_ON:
        pass
    elif phone is None:
        set_sequel(member, Sequel.FAILED, "phone-deleted", "The phone was deleted.")
    elif phone.account_id != upgrade.account_id:
        set_sequel(member, Sequel.FAILED, "phone-changed", "The phone went to another account.")
    else:
        _Settling(upgrade, member, deployment, phone, said).settle()
    upgrade.save()


class _Settling:
    """One upgrade under its lock."""

    def __init__(
        self, upgrade: Upgrade, member: RolloutMember, deployment: Deployment, phone: Phone, said: str
    ) -> None:
        self.upgrade, self.member, self.deployment, self.phone, self.said = upgrade, member, deployment, phone, said
        self.rollout = member.rollout

    def settle(self) -> None:
        deployment = self.deployment
        if deployment.uploaded_at is not None:
            self._keep()
        if deployment.finished_at is None:
            return  # It is heard of again.
        if deployment.state in _TAKEN and deployment.error_code != "stale-call-id":
            self._await_load()
        elif deployment.state == State.UPLOADED or self._is_unanswered():
            self._await_phone()
        else:
            # The deployment says itself what has become of it.
            set_sequel(self.member, Sequel.NONE)

    def _is_unanswered(self) -> bool:
        deployment = self.deployment
        return deployment.state == State.FAILED and bool(deployment.uploaded_at) and deployment.error_code in UNANSWERED

    def _keep(self) -> None:
        step = self._step()
        if "kept" not in step:
            why_not = keep(self.phone, self.deployment, self.upgrade.load, author_of(self.rollout))
            step["kept"] = why_not or True

    def _step(self) -> dict[str, object]:
        """What came of the present step so far."""
        upgrade = self.upgrade
        if len(upgrade.steps) <= upgrade.step:
            upgrade.steps.append({"load": upgrade.load})
        step: dict[str, object] = upgrade.steps[upgrade.step]
        step["deployment"] = str(self.deployment.uuid)
        return step

    def _await_phone(self) -> None:
        """Its file lies ready. When the phone starts it fetches it, which confirms the deployment."""
        member = self.member
        if not self.rollout.is_open:
            set_sequel(member, Sequel.NONE)
        elif member.sequel != Sequel.AWAY:
            set_sequel(member, Sequel.AWAY)
        elif self.deployment.state != State.UPLOADED and self._is_back():
            self._begin_anew()

    def _is_back(self) -> bool:
        since, seen = self.member.sequel_since, self.phone.last_seen_at
        return since is not None and seen is not None and seen > since

    def _begin_anew(self) -> None:
        if self.upgrade.tries >= MOST_TRIES:
            set_sequel(self.member, Sequel.NONE)
            return
        if self._send(self.upgrade.load):
            self.upgrade.tries += 1

    def _await_load(self) -> None:
        if self._has_other_file():
            text = f"Another file was uploaded for the phone, which does not name {self.upgrade.load}."
            self._fail("file-replaced", text)
            return
        since = self.deployment.uploaded_at or self.deployment.created_at
        found = fetched_of(self.upgrade, since)
        self._step().update(found.as_dict())
        if self.said and not is_read(self.phone, self.deployment):
            self._step()["registered_with"] = self.said
            # No page will tell it, and the next way begins at what the phone runs; nor that the phone is not away.
            self.phone.software_version, self.phone.last_seen_at = self.upgrade.load, clock.now()
            save_recorded([self.phone], ["software_version", "last_seen_at"])
            self._reached()
            return
        if has_reported(self.upgrade, self.phone, since):
            self._step()["reported_at"] = clock.now().isoformat()
            self._reached()
            return
        if self.member.sequel == Sequel.AWAY:
            set_sequel(self.member, Sequel.PENDING)
        self._look_again(found)

    def _look_again(self, found: FetchedLoad) -> None:
        """Until the time is over that a phone takes for a load, from the last file of it that it fetched."""
        now = clock.now()
        began = max(filter(None, (self.deployment.finished_at, found.last)), default=now)
        ends = began + timedelta(seconds=settings.UPGRADE_SECONDS)
        if now >= ends:
            fault = fault_of(self.upgrade, self.phone, self.deployment, found)
            self._fail(fault.code, fault.text)
            return
        pause = min(max((now - began) / 4, FIRST_LOOK), LONGEST_PAUSE)
        self.upgrade.due_at = min(now + pause, ends)

    def _has_other_file(self) -> bool:
        """Whether somebody has uploaded another file for the phone since, with another load."""
        file = PhoneFile.objects.filter(phone=self.phone).select_related("revision").defer("revision__content").first()
        if file is None or file.revision is None or file.sha256 == self.deployment.sha256:
            return False
        return bool(file.revision.facts.get(LOAD) != self.upgrade.load)

    def _reached(self) -> None:
        upgrade = self.upgrade
        if upgrade.is_at_last_step:
            tidy(self.phone, upgrade.load, author_of(self.rollout))
            set_sequel(self.member, Sequel.REACHED)
            log.info("firmware reached", mac=upgrade.mac, load=upgrade.load, rollout=str(self.rollout.uuid))
        elif self._send(str(upgrade.way[upgrade.step + 1])):
            upgrade.step, upgrade.tries = upgrade.step + 1, 0

    def _send(self, load: str) -> bool:
        """Whether the phone gets this load next; not while something else is done to it, or no file can be made."""
        # A rollout that ends calls off what it finds: nothing is added while it does.
        self.member.rollout = self.rollout = Rollout.objects.select_for_update(of=("self",)).get(pk=self.rollout.pk)
        if not self.rollout.is_open:
            self._fail("rollout-over", f"The rollout was over before the phone got {load}, on its way.")
            return False
        if Deployment.objects.filter(phone=self.phone, finished_at=None).exists():
            self.upgrade.due_at = clock.now() + BUSY_PAUSE
            return False
        try:
            deploy_load(self.member, self.phone, load)
        except Refusal as refusal:
            self._fail(refusal.code, refusal.message)
            return False
        return True

    def _fail(self, code: str, text: str) -> None:
        set_sequel(self.member, Sequel.FAILED, code, text)
        log.info("firmware not reached", mac=self.upgrade.mac, load=self.upgrade.load, code=code)
