"""Which state of a deployment follows which. Who moves one along them: `transitions`."""

from phones_app.deployment.models import State

FROM_ANY_OPEN = (State.FAILED, State.SUPERSEDED)
# Old state: new states. An upload that was refused or broken off is `uploading` again, a restart that is sent again after
# a crash `restarting`, and a deployment of which no evidence comes ends as `restart_acknowledged`. A phone that nothing
# can restart ends as `uploaded`. Evidence that the phone took the file confirms what was not restarted, too: phones start
# by themselves.
ARROWS: dict[State, tuple[State, ...]] = {
    State.QUEUED: (State.UPLOADING, State.SESSION_CLEARED, State.CANCELLED, *FROM_ANY_OPEN),
    State.UPLOADING: (State.UPLOADING, State.UPLOADED, *FROM_ANY_OPEN),
    State.UPLOADED: (State.SESSION_CLEARED, State.CONFIRMED, *FROM_ANY_OPEN),
    State.SESSION_CLEARED: (State.RESTARTING, State.CONFIRMED, State.CANCELLED, *FROM_ANY_OPEN),
    State.RESTARTING: (
        *(State.RESTARTING, State.RESTART_ACKNOWLEDGED, State.CONFIRMED, State.UPLOADED),
        *FROM_ANY_OPEN,
    ),
    State.RESTART_ACKNOWLEDGED: (State.RESTART_ACKNOWLEDGED, State.CONFIRMED, *FROM_ANY_OPEN),
    State.CONFIRMED: (State.REJECTED,),
    State.REJECTED: (State.CONFIRMED,),
    State.FAILED: (State.CONFIRMED,),
    State.CANCELLED: (State.CONFIRMED,),
}
# Evidence comes when it comes, also of deployments that have ended.
ALSO_ENDED = (State.CONFIRMED, State.REJECTED)
