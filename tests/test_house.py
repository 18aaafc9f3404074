"""House rules that a reader of `ls` relies on and that import-linter cannot see: names of code in strings, the sizes of
files, and the layout of tests and templates. Most of it is read from the files without running them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("contacts_app", "profiles_app", "phones_app")
CORE = "contacts_app/core"
# Folders of an app that are no subjects: Django looks there for what it finds by name.
NO_SUBJECTS = {"management", "migrations", "templatetags"}
# Folders of tests/<app>/ that are no subjects either.
OTHER_TESTS = {"commands"}
# Folders of templates/ in which packages look for ours by name.
PACKAGES_TEMPLATES = {"admin", "drf_spectacular", "unfold"}
# Lines of the apps and of config, without migrations and empty files. The total grows with what the product does.
LONGEST, MEDIAN, TOTAL = 300, 105, 95_000
# Of a thousand lines of the same files those that leave a type open; it only goes down. What is only passed on or looked
# at is an `object`.
OPEN_TYPES = 14.5


def code_of(*folders: str) -> list[Path]:
    files = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in files if "migrations" not in path.parts]


def folders_of(path: str) -> set[str]:
    """The folders there that have a file anywhere in them; git knows no other ones."""
    return {
        folder.name
        for folder in (ROOT / path).glob("*/")
        if any(file.suffix not in ("", ".pyc") for file in folder.rglob("*"))
    }


def subjects_of(app: str) -> set[str]:
    return folders_of(app) - NO_SUBJECTS


SUBJECTS = [(app, subject) for app in APPS for subject in sorted(subjects_of(app))]


def strings_of(path: Path) -> Iterator[tuple[str, str]]:
    """Place and text of each string, and of each fixed part of an f-string; docstrings are prose."""
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def names_code(text: str) -> bool:
    """Whether it is a module, what stands in one, a model or a task. Names of permissions are none of these."""
    if text in current_app.tasks:
        return True
    folder, dot, rest = text.partition(".")
    if folder not in ("config", *APPS) or not dot or not re.fullmatch(r"[\w.:]+", rest):
        return False
    name = re.split("[.:]", rest)[0]
    module = ROOT / folder / name
    return module.is_dir() or module.with_suffix(".py").exists() or name.lower() in apps.all_models.get(folder, ())


def test_no_import_hides_in_a_string():
    hidden = [f"{place} {text}" for path in code_of(*APPS) for place, text in strings_of(path) if names_code(text)]
    assert not hidden, "import it, or have it registered from above:\n" + "\n".join(hidden)


def words_of(text: str) -> set[str]:
    """The names in a name, a path or a label; a text for people has none: it may say “contacts”."""
    text = text.removeprefix(f"{CORE}/")  # the folder of its own templates
    return set() if re.search(r"\s", text) else {text, *re.split(r"[^a-z]+", text), *re.split(r"\W+", text)}


def test_core_names_no_app_and_no_subject():
    assert (ROOT / CORE).is_dir()
    names = {*APPS, *(subject for _, subject in SUBJECTS)} - {"core"}
    said = [
        f"{place} {text}"
        for path in code_of(CORE)
        for place, text in strings_of(path)
        if names & words_of(text) or any(f"{app}_" in text for app in APPS)
    ]
    assert not said, "\n".join(said)


def models_named_in(path: Path) -> Iterator[str]:
    for call in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(call, ast.Call)
            and ast.unparse(call.func).endswith((".ForeignKey", ".OneToOneField", ".ManyToManyField"))
            and call.args
            and isinstance(call.args[0], ast.Constant)
        ):
            yield str(call.args[0].value)


def test_a_reference_by_name_stays_in_its_subject():
    """`ForeignKey("Phone")` needs no import, so nothing else would see it point upwards."""
    leaving = []
    for app, subject in SUBJECTS:
        files = code_of(f"{app}/{subject}")
        own = {
            node.name
            for path in files
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
        }
        for path in files:
            leaving += [
                f"{path.relative_to(ROOT)} {name}" for name in models_named_in(path) if name not in {"self", *own}
            ]
    assert not leaving, "\n".join(leaving)


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code_of("config", *APPS)}
    return {path: size for path, size in lines.items() if size}


def test_no_file_is_too_long_to_read(sizes):
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}


def test_files_are_neither_splinters_nor_many(sizes):
    middle, total = median(sizes.values()), sum(sizes.values())
    print(f"{len(sizes)} files, median {middle:g} lines, {total} lines in all")
    assert middle >= MEDIAN
    assert total <= TOTAL


def test_few_types_are_left_open():
    """mypy takes whatever is done with an `Any`."""
    lines = [line for path in code_of("config", *APPS) for line in path.read_text().splitlines()]
    found = [line for line in lines if re.search(r"\bAny\b", line) and not re.match(r"\s*(from|import|#)\s?", line)]
    assert 1000 * len(found) / len(lines) <= OPEN_TYPES


@pytest.mark.parametrize(("app", "subject"), SUBJECTS)
def test_a_subject_has_its_tests_in_a_folder_of_its_name(app, subject):
    assert subject in folders_of(f"tests/{app}")


@pytest.mark.parametrize("app", APPS)
def test_a_folder_of_tests_or_templates_is_a_subject(app):
    assert folders_of(f"tests/{app}") <= subjects_of(app) | OTHER_TESTS
    assert folders_of(f"templates/{app}") <= subjects_of(app)


def test_templates_are_the_apps_or_replace_those_of_packages():
    assert folders_of("templates") <= {*APPS, *PACKAGES_TEMPLATES}


@pytest.mark.parametrize("app", APPS)
def test_templates_that_the_admin_looks_for_are_of_models(app):
    assert folders_of(f"templates/admin/{app}") <= apps.all_models[app].keys()


# Django finds each by its place, not by its name.
NAMED_BY_THEIR_PLACE = {"Command"}


def test_a_class_name_means_one_thing():
    """Of the classes that a module shows; docs/glossary.md tells what the others were called."""
    places: dict[str, list[str]] = {}
    for path in code_of("config", *APPS):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in NAMED_BY_THEIR_PLACE}
    assert twice == {}
