"""`/myAccountCustomerProfiles/`: list, read, create, change and delete (MyAccount spec §2, §3)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.fields import Text
from contacts_app.api.rows import find
from profiles_app.api.myaccount.dialect import MyAccountView, answers
from profiles_app.api.myaccount.fields import NUMBER, CustomerId, Flag, GroupNames, Preset, Presets, Since
from profiles_app.models import MyAccountProfile
from profiles_app.services.myaccount_profile import (
    delete_myaccount_profile,
    save_myaccount_profile,
    visible_profiles,
)

TAG = "MyAccount profiles"
# Rows fetched at a time: a list without a limit may be long.
CHUNK = 1000
# Beyond what a database takes as an offset nothing can be.
HIGHEST = 2**31 - 1

EXAMPLE = OpenApiExample(
    "A profile",
    value={
        "name": "Business",
        "description": "Optional description explaining the purpose of this MyAccount profile",
        "availability": "Standard",
        "customerID": None,
        "customerGroups": ["Gold"],
        "myAccountFlags": ["View Bills", "Download CDRs"],
        "myNumbers": ["View Numbers"],
        "myCampaigns": ["View Campaigns"],
        "myCallsEnabled": True,
        "myCallsDailyCDRAccess": False,
        "myCallsUseBackendDescriptions": False,
    },
    request_only=True,
)


class MyAccountProfileRecord(serializers.Serializer[MyAccountProfile]):
    """The twelve members of a profile. Members that it does not have are refused: a typo must not pass for a right."""

    id = serializers.CharField(read_only=True, help_text="Digits; never used again after a deletion.")
    name = Text(max_length=255)
    description = Text(required=False, allow_blank=True, trim_whitespace=False, max_length=65_535)
    availability = Preset(required=False, help_text="`Headline`, `Standard` (default) or `Historic`.")
    customerID = CustomerId(
        source="customer", required=False, allow_null=True, help_text="The one customer it is restricted to."
    )
    customerGroups = GroupNames(help_text="Names of the customer groups it applies to.")
    myAccountFlags = Presets(source="myaccount_flags")
    myNumbers = Presets(source="my_numbers")
    myCampaigns = Presets(source="my_campaigns")
    myCallsEnabled = Flag(source="my_calls_enabled", required=False)
    myCallsDailyCDRAccess = Flag(source="my_calls_daily_cdr_access", required=False)
    myCallsUseBackendDescriptions = Flag(source="my_calls_use_backend_descriptions", required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [key for key in data if key not in self.fields]):
            raise serializers.ValidationError({key[:100]: "There is no such member." for key in unknown[:10]})
        return super().to_internal_value(data)

    def to_representation(self, profile: MyAccountProfile) -> dict[str, Any]:
        # Written out, as lists are long: field by field it takes five times as long.
        return {
            "id": str(profile.pk),
            "name": profile.name,
            "description": profile.description,
            "availability": profile.availability,
            "customerID": str(profile.customer.voip_id) if profile.customer else None,
            "customerGroups": [link.group.name for link in profile.group_links.all()],
            "myAccountFlags": profile.myaccount_flags,
            "myNumbers": profile.my_numbers,
            "myCampaigns": profile.my_campaigns,
            "myCallsEnabled": profile.my_calls_enabled,
            "myCallsDailyCDRAccess": profile.my_calls_daily_cdr_access,
            "myCallsUseBackendDescriptions": profile.my_calls_use_backend_descriptions,
        }


class ListQuery(serializers.Serializer[Any]):
    """What a list can be asked for; unknown parameters are ignored."""

    idAfter = serializers.IntegerField(required=False, help_text="Only those with a higher id.")
    createdSince = Since(required=False, help_text="Only those made at or after this time.")
    updatedSince = Since(required=False, help_text="Only those made or changed at or after this time.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=HIGHEST, help_text="Default: all."
    )
    offset = serializers.IntegerField(required=False, min_value=0, max_value=HIGHEST)


FILTERS = {"idAfter": "pk__gt", "createdSince": "created_at__gte", "updatedSince": "updated_at__gte"}


class ProfileView(MyAccountView):
    def rows(self) -> QuerySet[MyAccountProfile]:
        whole = visible_profiles(self.actor).select_related("customer")
        return whole.prefetch_related("group_links__group").order_by("pk")

    def profile(self, profile_id: str) -> MyAccountProfile:
        if not NUMBER.fullmatch(profile_id):
            raise NotFound("Profile not found")
        return find(self.rows(), "Profile", pk=int(profile_id))

    def writable(self, profile_id: str) -> MyAccountProfile:
        profile = self.profile(profile_id)
        if self.actor.account is not None and profile.account_id != self.actor.account.pk:
            raise PermissionDenied("This profile is the portal's; only its staff may change it")
        return profile

    def checked(self, profile: MyAccountProfile | None = None) -> dict[str, Any]:
        record = MyAccountProfileRecord(
            profile, data=self.request.data, partial=profile is not None, context={"request": self.request}
        )
        record.is_valid(raise_exception=True)
        return dict(record.validated_data)

    def shown(self, profile: MyAccountProfile) -> dict[str, Any]:
        return MyAccountProfileRecord().to_representation(self.rows().get(pk=profile.pk))


class ProfileList(ProfileView):
    @extend_schema(
        operation_id="myaccount_profiles_list",
        tags=[TAG],
        parameters=[ListQuery],
        responses=answers(200, MyAccountProfileRecord(many=True), 400),
    )
    def get(self, request: Request) -> Response:
        """All profiles by ascending id. To read on, ask for `idAfter` the highest id that was there."""
        query = ListQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        start, limit = asked.pop("offset", 0), asked.pop("limit", None)
        rows = self.rows().filter(**{FILTERS[name]: value for name, value in asked.items()})
        part = rows[start : None if limit is None else start + limit]
        show = MyAccountProfileRecord().to_representation
        return Response([show(profile) for profile in part.iterator(chunk_size=CHUNK)])

    @extend_schema(
        operation_id="myaccount_profiles_create",
        tags=[TAG],
        request=MyAccountProfileRecord,
        examples=[EXAMPLE],
        responses=answers(201, MyAccountProfileRecord, 400, 409, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Add a profile. It belongs to the account of the key, or to the portal when the key is of staff."""
        given = self.checked()
        groups = given.pop("customerGroups", [])
        profile = MyAccountProfile(account=self.actor.account, **given)
        save_myaccount_profile(profile, groups=groups)
        return Response(self.shown(profile), status=201)


class ProfileDetail(ProfileView):
    @extend_schema(
        operation_id="myaccount_profiles_read",
        tags=[TAG],
        responses=answers(200, MyAccountProfileRecord, 404),
    )
    def get(self, request: Request, profile_id: str) -> Response:
        """One profile."""
        return Response(MyAccountProfileRecord().to_representation(self.profile(profile_id)))

    @extend_schema(
        operation_id="myaccount_profiles_update",
        tags=[TAG],
        request=MyAccountProfileRecord(partial=True),
        responses=answers(200, MyAccountProfileRecord, 400, 404, 409, 413, 415),
    )
    def patch(self, request: Request, profile_id: str) -> Response:
        """Change only what is sent."""
        profile = self.writable(profile_id)
        given = self.checked(profile)
        groups = given.pop("customerGroups", None)
        for name, value in given.items():
            setattr(profile, name, value)
        save_myaccount_profile(profile, changed=given, groups=groups)
        return Response(self.shown(profile))

    @extend_schema(
        operation_id="myaccount_profiles_replace",
        tags=[TAG],
        request=MyAccountProfileRecord(partial=True),
        responses=answers(200, MyAccountProfileRecord, 400, 404, 409, 413, 415),
    )
    def put(self, request: Request, profile_id: str) -> Response:
        """The same as PATCH."""
        return self.patch(request, profile_id)

    @extend_schema(
        operation_id="myaccount_profiles_delete",
        tags=[TAG],
        responses=answers(204, None, 404, 409),
    )
    def delete(self, request: Request, profile_id: str) -> Response:
        """Delete a profile that is assigned to no customer."""
        delete_myaccount_profile(self.writable(profile_id))
        return Response(status=204)
