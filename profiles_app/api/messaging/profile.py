"""What the two kinds of profiles have in common: a plain list, and one object to show, change and remove."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from contacts_app.api.rows import find, uuid_in_url
from profiles_app.api.messaging.dialect import MessagingView, answer, created
from profiles_app.api.messaging.fields import Input


class ProfileView(MessagingView):
    """`rows` come with the relations that `output` shows. Rules are in the services that `store` and `remove` call."""

    rows: ClassVar["QuerySet[Any]"]
    input: ClassVar[type[Input]]
    output: ClassVar[type[BaseSerializer[Any]]]
    thing: ClassVar[str]

    def store(self, profile: Any, changed: set[str] | None) -> None:
        raise NotImplementedError

    def remove(self, profile: Any) -> None:
        raise NotImplementedError

    def one(self, uuid: UUID) -> Any:
        return find(self.visible(self.rows), self.thing, uuid=uuid)

    def shown(self, profile: Any) -> Any:
        return self.output(profile).data

    def sent(self, profile: Model | None) -> dict[str, Any]:
        """What the request says, checked; the account decides which rows it may point at."""
        account = getattr(profile, "account", None) or self.account_of_new()
        body = self.input(data=self.request.data, partial=profile is not None, context={"account": account})
        body.is_valid(raise_exception=True)
        return {**body.validated_data, **({} if profile else {"account": account})}

    def show_one(self, uuid: UUID) -> Response:
        return answer(self.shown(self.one(uuid)))

    def make_one(self) -> Response:
        profile = self.rows.model(**self.sent(None))
        self.store(profile, None)
        return created(self.shown(self.one(profile.uuid)))

    def change_one(self, uuid: UUID) -> Response:
        profile = self.one(uuid)
        if sent := self.sent(profile):
            for name, value in sent.items():
                setattr(profile, name, value)
            self.store(profile, set(sent))
        return answer(self.shown(profile))

    def remove_one(self, uuid: UUID) -> Response:
        profile = self.one(uuid)
        gone = self.shown(profile)
        self.remove(profile)
        return answer(gone)

    def named(self) -> UUID:
        uuid = self.uuid_anywhere()
        if uuid is None:
            raise ValidationError({"uuid": "Say which one: in the path, as ?uuid= or in the body."})
        return uuid


class ProfileCollection(ProfileView):
    """The URL without a UUID."""

    def get(self, request: Request) -> Response:
        if uuid := self.uuid_anywhere():
            return self.show_one(uuid)
        return answer(self.output(self.visible(self.rows), many=True).data)

    def post(self, request: Request) -> Response:
        return self.make_one()

    def patch(self, request: Request) -> Response:
        return self.change_one(self.named())

    def delete(self, request: Request) -> Response:
        return self.remove_one(self.named())


class ProfileItem(ProfileView):
    """The URL with a UUID."""

    def get(self, request: Request, uuid: str) -> Response:
        return self.show_one(uuid_in_url(uuid))

    def patch(self, request: Request, uuid: str) -> Response:
        return self.change_one(uuid_in_url(uuid))

    def delete(self, request: Request, uuid: str) -> Response:
        return self.remove_one(uuid_in_url(uuid))
