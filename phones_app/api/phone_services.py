"""What phones themselves ask for."""

urlpatterns: list[object] = []
