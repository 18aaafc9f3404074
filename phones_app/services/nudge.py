"""Waking a worker for deployments; how that is done is the matter of `contacts_app.services.nudge`."""

from functools import partial

from contacts_app.services import nudge as waking

RUN_DUE = "phones_app.tasks.run_due"

nudge_after_commit = partial(waking.nudge_after_commit, RUN_DUE)
nudge = partial(waking.nudge, RUN_DUE)
