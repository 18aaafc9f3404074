"""Adopting: from the files that a company has to templates, layers and lines which give every file back byte for byte.

Pure values in, pure values out: no Django, no files, no database. The rules are in the configuration spec §3.
"""

from profiles_app.phone.adopting.clusters import SepFile
from profiles_app.phone.adopting.lifting import LiftedLayers, MayGive
from profiles_app.phone.adopting.planning import Plan, PlannedTemplate, Progress, plan

__all__ = ["LiftedLayers", "MayGive", "Plan", "PlannedTemplate", "Progress", "SepFile", "plan"]
