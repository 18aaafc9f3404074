"""`/customers/{customerID}/myAccountProfile`: which profile a customer gets, and why. Not in the provider's document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.rows import find
from contacts_app.models import Account
from contacts_app.services.account import customers_of
from profiles_app.api.myaccount.dialect import MyAccountView, answers
from profiles_app.api.myaccount.fields import NUMBER
from profiles_app.api.myaccount.profile import TAG, MyAccountProfileRecord
from profiles_app.models import MyAccountProfile
from profiles_app.services.customer_profile import REASONS, assign_profile, resolve_profile, unassign_profile
from profiles_app.services.myaccount_profile import visible_profiles


@extend_schema_field(OpenApiTypes.STR)
class ProfileId(serializers.Field[MyAccountProfile, Any, str, Any]):
    """The id of a profile as a text."""

    def to_internal_value(self, data: Any) -> MyAccountProfile:
        number = str(data).strip() if isinstance(data, int | str) else ""
        profiles = visible_profiles(self.context["request"].user)
        profile = profiles.filter(pk=int(number)).first() if NUMBER.fullmatch(number) else None
        if profile is None:
            raise serializers.ValidationError("There is no such profile.")
        return profile


class Assignment(serializers.Serializer[Any]):
    profileID = ProfileId()


class CustomerProfileRecord(serializers.Serializer[Any]):
    """`reason`: assigned by hand, restricted to the customer, by one of its groups, for everybody, or none."""

    customerID = serializers.CharField()
    reason = serializers.ChoiceField(choices=[*REASONS, "none"])
    profile = MyAccountProfileRecord(allow_null=True)


class CustomerProfileView(MyAccountView):
    def customer(self, customer_id: str) -> Account:
        if not NUMBER.fullmatch(customer_id):
            raise NotFound("Customer not found")
        return find(customers_of(self.actor), "Customer", voip_id=int(customer_id))

    def shown(self, customer: Account) -> dict[str, Any]:
        resolution = resolve_profile(customer)
        profile = resolution.profile and MyAccountProfileRecord().to_representation(resolution.profile)
        return {"customerID": str(customer.voip_id), "reason": resolution.reason, "profile": profile}

    @extend_schema(
        operation_id="customer_profile_read", tags=[TAG], responses=answers(200, CustomerProfileRecord, 404)
    )
    def get(self, request: Request, customer_id: str) -> Response:
        """The profile that this customer gets in the portal, and why this one."""
        return Response(self.shown(self.customer(customer_id)))

    @extend_schema(
        operation_id="customer_profile_assign",
        tags=[TAG],
        request=Assignment,
        responses=answers(200, CustomerProfileRecord, 400, 404, 409, 413, 415),
    )
    def put(self, request: Request, customer_id: str) -> Response:
        """Give this customer a certain profile. It keeps it when the profile becomes historic."""
        customer = self.customer(customer_id)
        assignment = Assignment(data=request.data, context={"request": request})
        assignment.is_valid(raise_exception=True)
        assign_profile(customer=customer, profile=assignment.validated_data["profileID"])
        return Response(self.shown(customer))

    @extend_schema(operation_id="customer_profile_unassign", tags=[TAG], responses=answers(204, None, 404))
    def delete(self, request: Request, customer_id: str) -> Response:
        """Let the rule choose again. It is no error when it did already."""
        unassign_profile(customer=self.customer(customer_id))
        return Response(status=204)
