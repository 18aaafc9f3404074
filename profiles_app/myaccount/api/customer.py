"""Which profile a customer gets, and what profiles can grant at all. Neither is in the provider's document."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import customers_of
from profiles_app.myaccount import services
from profiles_app.myaccount.api.dialect import MyAccountViewSet, NumberedRow, answers
from profiles_app.myaccount.api.profile import MyAccountProfileRecord


class Assignment(serializers.Serializer[Any]):
    profileID = NumberedRow()


class CustomerProfileRecord(serializers.Serializer[Any]):
    """`reason`: assigned by hand, restricted to the customer, by one of its groups, for everybody, or none."""

    customerID = serializers.CharField()
    reason = serializers.ChoiceField(choices=[*services.REASONS, "none"])
    profile = MyAccountProfileRecord(allow_null=True)


PRESETS = inline_serializer(
    "PresetValues",
    {name: serializers.ListField(child=serializers.CharField()) for name in ("availability", *services.LISTS)},
)


class Customers(MyAccountViewSet):
    queryset = Account.objects.all()
    thing = "Customer"
    lookup_field, lookup_url_kwarg = "voip_id", "customer_id"
    rights = {
        "profile": ("profiles_app.view_customerprofile", "profiles_app.view_myaccountprofile"),
        "assign": ("profiles_app.add_customerprofile", "profiles_app.change_customerprofile"),
        "unassign": "profiles_app.delete_customerprofile",
    }

    def get_queryset(self) -> Any:
        return customers_of(self.actor)

    def shown(self, row: Account) -> dict[str, Any]:
        resolution = services.resolve_profile(row)
        profile = resolution.profile and MyAccountProfileRecord().to_representation(resolution.profile)
        return {"customerID": str(row.voip_id), "reason": resolution.reason, "profile": profile}

    @extend_schema(responses=answers(200, CustomerProfileRecord, 404))
    @action(detail=True, url_path="myAccountProfile")
    def profile(self, request: Request, customer_id: str) -> Response:
        """The profile that this customer gets in the portal, and why this one."""
        return Response(self.shown(self.get_object()))

    @extend_schema(request=Assignment, responses=answers(200, CustomerProfileRecord, 400, 404, 409, 413, 415))
    @profile.mapping.put
    def assign(self, request: Request, customer_id: str) -> Response:
        """Give this customer a certain profile, which it keeps when that becomes historic. Nobody does so for itself."""
        customer = self.get_object()
        services.refuse_oneself(self.actor, customer)
        profile = self.sent(body=Assignment)["profileID"]
        services.assign_profile(customer=customer, profile=profile, actor=self.actor)
        return Response(self.shown(customer))

    @extend_schema(responses=answers(204, None, 404))
    @profile.mapping.delete
    def unassign(self, request: Request, customer_id: str) -> Response:
        """Let the rule choose again. It is no error when it did already."""
        services.unassign_profile(customer=self.get_object(), actor=self.actor)
        return Response(status=204)


class Presets(MyAccountViewSet):
    rights = {"values": ()}

    @extend_schema(responses=answers(200, PRESETS))
    @action(detail=False, url_path="presetValues")
    def values(self, request: Request) -> Response:
        """The allowed values of every preset member of a profile, by the member's name."""
        return Response(services.preset_values())
