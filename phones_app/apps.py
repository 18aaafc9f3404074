"""What phones register with the ground and with the apps below."""

import re

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import pre_delete


class PhonesConfig(AppConfig):
    name = "phones_app"
    verbose_name = "Phones"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from contacts_app.accounts.services import register_blocker
        from contacts_app.core import retention
        from contacts_app.core.backup import service as backup
        from contacts_app.core.doctor import checks as doctor
        from contacts_app.core.history.authorship import recorded, when_changed, when_many_changed
        from contacts_app.core.tally.service import register as keep_numbers
        from contacts_app.core.work.kind import register
        from contacts_app.people.models import User
        from phones_app import events
        from phones_app.boot import recording
        from phones_app.boot.made import register_made
        from phones_app.boot.requests import when_counted
        from phones_app.configuration.alone import ProfileFiles, file_alone
        from phones_app.configuration.default_file import default_file
        from phones_app.configuration.default_loads import in_use
        from phones_app.configuration.following import follow_changes, shared_files_changed
        from phones_app.configuration.wanted import Configurations
        from phones_app.deployment import gates, left_files, outcome
        from phones_app.deployment.evidence import awaited, judge_fetch
        from phones_app.deployment.missing_files import files_counted
        from phones_app.deployment.removals import Removals
        from phones_app.deployment.request import deployments_under_way
        from phones_app.deployment.run import Doubts, SingleDeployments, UploadBatches
        from phones_app.doctor import CHECKS
        from phones_app.drift.checks import DriftChecks
        from phones_app.drift.rereads import Rereads
        from phones_app.firmware import checks as firmware_checks
        from phones_app.firmware.services import register_blocker as keep_firmware
        from phones_app.firmware.sets.gates import read_from
        from phones_app.inventory.assignment import register_objection
        from phones_app.inventory.models import Phone
        from phones_app.inventory.services import PLACE, moved, register_identity
        from phones_app.inventory.status_check import StatusChecks
        from phones_app.mobility import lifecycle
        from phones_app.mobility.enrolment_file import OF_NEW_PHONES, for_unknown
        from phones_app.mobility.following import follow, followed
        from phones_app.mobility.models import MobilityPolicy, PersonMobility
        from phones_app.mobility.timers import MobilityTimers
        from phones_app.retention import DEPLOYMENTS, FETCHES, RENDERINGS
        from phones_app.rollout.aims import register_aim
        from phones_app.rollout.gate import closed_by_rollout
        from phones_app.rollout.models import RolloutMember
        from phones_app.rollout.planning import RolloutPlannings
        from phones_app.rollout.rollout import advance_all, pause_running, running
        from phones_app.servers.models import FileServer
        from phones_app.shared_files import copies
        from phones_app.shared_files import services as shared_files
        from phones_app.shared_files.copying import FileCopying
        from phones_app.shared_files.upkeep import UNUSED
        from phones_app.tallies import DEPLOYMENTS as DEPLOYMENT_NUMBERS
        from phones_app.tallies import PHONES
        from phones_app.upgrades import watching
        from phones_app.upgrades.planning import FirmwareAim, firmware_in_use
        from profiles_app.events import tags
        from profiles_app.events.outbox import register_news
        from profiles_app.phone.sep.default_file import PATTERN
        from profiles_app.phone.sources import register_maker

        when_many_changed(Phone, *PLACE, call=moved)
        register_identity(left_files.identity_changed)
        when_many_changed(Phone, "account", call=left_files.account_changed)
        register_objection(lifecycle.object_to_assignment)
        recorded.connect(left_files.file_server_changed, sender=FileServer)
        recorded.connect(copies.file_server_changed, sender=FileServer)
        shared_files.when_changed(copies.files_changed)
        shared_files.when_changed(firmware_checks.files_changed)
        shared_files.when_changed(shared_files_changed)
        pre_delete.connect(left_files.phone_deleted, sender=Phone)
        when_many_changed(Phone, *lifecycle.OF_PHONE, call=lifecycle.phones_changed)
        pre_delete.connect(lifecycle.phone_deleted, sender=Phone)
        when_changed(User, *lifecycle.OF_PERSON, call=lifecycle.person_changed)
        pre_delete.connect(lifecycle.person_deleted, sender=User)
        recorded.connect(lifecycle.mobility_changed, sender=PersonMobility)
        recorded.connect(lifecycle.policy_changed, sender=MobilityPolicy)
        register(SingleDeployments, UploadBatches, Doubts, StatusChecks, DriftChecks, Rereads, Removals, MobilityTimers)
        register(Configurations, ProfileFiles, FileCopying, firmware_checks.FirmwareChecks)
        register(RolloutPlannings, watching.Upgrades)
        keep_numbers(PHONES, DEPLOYMENT_NUMBERS)
        keep_firmware(in_use)
        register_maker(file_alone)
        follow_changes()
        tags.register(*events.TAGS)
        register_news(events.TOLD)
        doctor.register(*CHECKS)
        retention.register(DEPLOYMENTS, RENDERINGS, FETCHES, UNUSED)
        if settings.FIRMWARE_GATES:
            try:
                read_from(settings.FIRMWARE_GATES)
            except (OSError, ValueError, re.error) as error:
                raise ImproperlyConfigured(f"FIRMWARE_GATES: {error}") from None
        folders = {"phones": lambda: settings.PHONE_FILES_DIR, "shared-files": lambda: settings.SHARED_FILES_DIR}
        backup.register(folders=folders, after_restore=pause_running)
        register_blocker(deployments_under_way)
        recording.register(judge_fetch, awaited)
        when_counted(files_counted)
        register_made(OF_NEW_PHONES, for_unknown)
        register_made(PATTERN, default_file)
        outcome.register("rollout", RolloutMember.objects.values_list("deployment", "rollout__uuid"))
        gates.register("rollout", closed_by_rollout, release=advance_all, of=running)
        outcome.register_follower(follow, of=followed)
        outcome.register_follower(watching.follow, of=watching.followed)
        register_aim(FirmwareAim)
        keep_firmware(firmware_in_use)
