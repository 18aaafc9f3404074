"""Phones over DRF as its tutorial has it: a ModelSerializer, a viewset, its own pages; no credential."""

from django.urls import include, path
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet

from phones_app.inventory.models import Phone


class PhoneSerializer(ModelSerializer):
    class Meta:
        model = Phone
        exclude = ["web_password", "missed_checks", "next_check_at"]
        depth = 0


class Phones(ReadOnlyModelViewSet):
    queryset = Phone.objects.defer("web_password")
    serializer_class = PhoneSerializer
    pagination_class = LimitOffsetPagination
    authentication_classes = []
    permission_classes = []
    lookup_field = "mac"


router = SimpleRouter(trailing_slash=False)
router.register("phones", Phones)
urlpatterns = [path("api/v1/", include(router.urls))]
