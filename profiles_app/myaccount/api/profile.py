"""`/myAccountCustomerProfiles/`: list, read, create, change and delete (MyAccount spec §2, §3)."""

from collections.abc import Collection, Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.authentication import SAFE_METHODS
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.api.view import LongText, Text
from contacts_app.core.api.viewset import EditableViewSet, QueryFilter
from profiles_app.myaccount.api.dialect import (
    CustomerId,
    Flag,
    MyAccountViewSet,
    Preset,
    PresetList,
    Since,
    TextList,
    answers,
)
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import delete_myaccount_profile, save_myaccount_profile, visible_profiles

MOST_GROUPS = 200
# Beyond what a database takes as an offset nothing can be.
HIGHEST = 2**31 - 1


class GroupNames(TextList):
    shows_of = ("group_links", "group__name")

    def get_attribute(self, instance: MyAccountProfile) -> list[str]:
        return [link.group.name for link in instance.group_links.all()]


class MyAccountProfileRecord(MadeOnce):
    """The twelve members of a profile. Members that it does not have are refused: a typo must not pass for a right."""

    is_shown_whole = True
    id = serializers.CharField(read_only=True, help_text="Digits; never used again after a deletion.")
    name = Text(max_length=255)
    description = LongText(required=False, allow_blank=True, trim_whitespace=False, max_length=65_535)
    availability = Preset(required=False, help_text="`Headline`, `Standard` (default) or `Historic`.")
    customerID = CustomerId(
        source="customer", required=False, allow_null=True, help_text="The one customer it is restricted to."
    )
    customerGroups = GroupNames(max_length=MOST_GROUPS, help_text="Names of the customer groups it applies to.")
    myAccountFlags = PresetList(source="myaccount_flags")
    myNumbers = PresetList(source="my_numbers")
    myCampaigns = PresetList(source="my_campaigns")
    myCallsEnabled = Flag(source="my_calls_enabled", required=False)
    myCallsDailyCDRAccess = Flag(source="my_calls_daily_cdr_access", required=False)
    myCallsUseBackendDescriptions = Flag(source="my_calls_use_backend_descriptions", required=False)


class MyAccountProfileFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What a list can be asked for; unknown parameters are ignored."""

    idAfter = QueryFilter("pk", "gt", serializers.IntegerField(help_text="Only those with a higher id."))
    createdSince = QueryFilter("created_at", "gte", Since(help_text="Only those made at or after this time."))
    updatedSince = QueryFilter(
        "updated_at", "gte", Since(help_text="Only those made or changed at or after this time.")
    )

    class Meta:
        model = MyAccountProfile
        fields: list[str] = []


class ProfilePaging(MadeOnce):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=HIGHEST, help_text="Default: all.")
    offset = serializers.IntegerField(required=False, min_value=0, max_value=HIGHEST)


WRITTEN: dict[str, Any] = {
    "request": MyAccountProfileRecord(partial=True),
    "responses": answers(200, MyAccountProfileRecord, 400, 404, 409, 413, 415),
}


@extend_schema_view(
    create=extend_schema(
        description="Add a profile. It belongs to the account of the key, or to the portal when the key is of staff.",
        examples=examples_of(__file__, "create"),
        responses=answers(201, MyAccountProfileRecord, 400, 409, 413, 415),
    ),
    retrieve=extend_schema(description="One profile.", responses=answers(200, MyAccountProfileRecord, 404)),
    partial_update=extend_schema(description="Change only what is sent.", **WRITTEN),
    destroy=extend_schema(
        description="Delete a profile that is assigned to no customer.", responses=answers(204, None, 404, 409)
    ),
)
class MyAccountProfiles(EditableViewSet, MyAccountViewSet):
    queryset = MyAccountProfile.objects.all()
    serializer_class = MyAccountProfileRecord
    filter_backends = [DjangoFilterBackend]
    filterset_class = MyAccountProfileFilter
    thing = "Profile"
    lookup_field, lookup_url_kwarg = "pk", "profile_id"

    def get_queryset(self) -> QuerySet[MyAccountProfile]:
        whole = visible_profiles(self.actor).select_related("customer")
        return whole.prefetch_related("group_links__group").order_by("pk")

    def get_object(self) -> MyAccountProfile:
        profile: MyAccountProfile = super().get_object()
        writes = self.request.method not in SAFE_METHODS
        if writes and self.actor.account is not None and profile.account_id != self.actor.account.pk:
            raise PermissionDenied("This profile is the portal's; only its staff may change it")
        return profile

    @extend_schema(parameters=[ProfilePaging], responses=answers(200, MyAccountProfileRecord(many=True), 400))
    def list(self, request: Request, **named: Any) -> Response:
        """All profiles by ascending id. To read on, ask for `idAfter` the highest id that was there."""
        rows = self.rows()
        paging = ProfilePaging(data=request.query_params.dict())
        paging.is_valid(raise_exception=True)
        start, limit = paging.validated_data.get("offset", 0), paging.validated_data.get("limit")
        return Response(self.records(rows, rows.page(HIGHEST if start and limit is None else limit, start)))

    @extend_schema(**WRITTEN)
    def update(self, request: Request, **named: str) -> Response:
        """The same as PATCH."""
        return self.partial_update(request, **named)

    def new(self) -> MyAccountProfile:
        return MyAccountProfile(account=self.actor.account)

    def save(self, row: MyAccountProfile, sent: dict[str, Any]) -> None:
        self.groups: Sequence[str] | None = sent.pop("customerGroups", [] if row._state.adding else None)
        super().save(row, sent)

    def store(self, row: MyAccountProfile, changed: Collection[str] | None) -> None:
        save_myaccount_profile(row, changed=changed, groups=self.groups)

    def remove(self, row: MyAccountProfile) -> None:
        delete_myaccount_profile(row)

    def shown(self, row: MyAccountProfile) -> Any:
        return super().shown(self.get_queryset().get(pk=row.pk))
