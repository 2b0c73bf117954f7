"""`vsl models check` and `update`: what has changed at the provider, and taking it over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.models.add import proposed, read_reference
from cli.models.catalogue_text import entries, put_entry
from cli.models.hardware import rates
from cli.models.provider import Documents, ProviderModels
from cli.models.stores import same_entry
from cli.models.translation.compare import Change, compare
from cli.models.translation.entry import Options, check
from cli.models.translation.merge import merged
from cli.models.translation.reference import Reference
from cli.models.view import show_changes
from cli.models.where import Where
from devstack.paths import program
from vsl.domain.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Examined:
    """`documents` are None where the provider has the model no more."""

    model_id: str
    media: str
    entry: dict[str, Any]
    changes: Sequence[Change]
    documents: Documents | None

    def effect(self, change: Change) -> Literal["now", "update"] | None:
        """When a change is felt: what is pinned to its version goes on until it is updated."""
        if not change.breaks:
            return None
        pinned = Reference.parse(self.entry["reference"]).version is not None
        return "update" if pinned and change.kind != "gone" else "now"


def check_command(model_ids: Sequence[str], where: Where, screen: Screen) -> int:
    """The exit code: 1 where something has changed. Raises CommandError."""
    found = examine(model_ids, where)
    changed = [each for each in found if each.changes]
    report = {"models": [_document(each) for each in found], "changed": len(changed)}
    if not screen.answer(report) and changed:
        show_changes(_rows(changed), screen)
        names = " ".join(each.model_id for each in changed if each.documents is not None)
        if names:
            screen.say(f"`{program()} models update {names}` takes it over.")
    if not changed:
        screen.say(f"Nothing has changed of {_count(found)}.")
    return Exit.FAILED if changed else Exit.OK


def update_command(
    model_ids: Sequence[str], where: Where, screen: Screen, *, dry_run: bool
) -> None:
    """Raises CommandError, also for what cannot be taken over; nothing is written then."""
    store = where.store()
    found = examine(model_ids, where)
    made = {
        each.model_id: (each, _updated(each, each.documents))
        for each in found
        if each.changes and each.documents is not None
    }
    new = {
        name: (each, entry)
        for name, (each, entry) in made.items()
        if not same_entry(each.entry, entry)
    }
    gone = [each for each in found if each.documents is None]

    def edit(text: str) -> str:
        present = entries(text)
        for name, (each, entry) in new.items():
            if present.get(name) != (each.media, each.entry):
                message = f"{name} has been changed meanwhile."
                raise CommandError("EntryChanged", message, Exit.FAILED, "Run the command again.")
            text = put_entry(text, each.media, name, entry)
        return text

    written = bool(new) and not dry_run and store.change(edit)
    models = [
        {**_document(each), "entry": new[each.model_id][1] if each.model_id in new else None}
        for each in found
    ]
    if screen.answer({"models": models, "written": store.place if written else None}):
        return
    changed = [each for each in found if each.changes]
    if changed:
        show_changes(_rows(changed), screen)
    if not new:
        screen.say(f"Nothing changed of {_count(found)}.")
    elif dry_run:
        screen.say(f"Nothing was written; it concerns {', '.join(new)} of {store.place}.")
    else:
        screen.say(f"Updated {', '.join(new)} in {store.place}.", "green")
    for each in gone:
        screen.say(f"`{program()} models remove {each.model_id}` takes {each.model_id} away.")


def examine(model_ids: Sequence[str], where: Where) -> list[Examined]:
    """The entries of these ids, of all where there are none, beside the provider's newest version."""
    every = entries(where.store().read())
    for name in model_ids:
        known_id(name, every)
    found = []
    with where.provider() as provider:
        for name in model_ids or every:
            media, entry = every[name]
            found.append(_examined(name, media, entry, provider))
    return found


def known_id(name: str, every: Mapping[str, Any]) -> str:
    """Raises CommandError."""
    if name not in every:
        message = f"The catalogue has no {name!r}. {did_you_mean(name, every)}".strip()
        hint = f"`{program()} models` lists them."
        raise CommandError("UnknownModel", message, Exit.REFUSED, hint)
    return name


def _examined(name: str, media: str, entry: dict[str, Any], provider: ProviderModels) -> Examined:
    pinned = read_reference(entry["reference"])
    newest = Reference(pinned.owner, pinned.name, deployment=pinned.deployment)
    try:
        documents = provider.read(newest)
    except CommandError as error:
        if error.code != "ModelNotFound":
            raise
        return Examined(name, media, entry, [Change("gone", error.message, True)], None)
    changes = compare(entry, documents.published)
    if pinned.version is not None and pinned.version != documents.published.version:
        try:
            provider.read(pinned)
        except CommandError as error:
            if error.code != "ModelNotFound":
                raise
            what = f"its version {pinned.version[:8]} is gone"
            changes = [Change("gone", what, True), *changes]
    return Examined(name, media, entry, changes, documents)


def _updated(examined: Examined, documents: Documents) -> dict[str, Any]:
    """Raises CommandError where the newest version cannot be served, or not by this entry."""
    name, published = examined.model_id, documents.published
    proposal = proposed(documents, name, Options(media=examined.media))
    entry = merged(examined.entry, proposal, published)
    try:
        check(examined.media, name, entry, rates())
    except ValueError as error:
        message = f"{name} cannot be updated as it is: {error}."
        hint = (
            f"Correct the entry by hand, or `{program()} models add {published.reference.unpinned}"
            f" --id {name} --replace` writes it anew."
        )
        raise CommandError("EntryDoesNotFit", message, Exit.REFUSED, hint) from None
    return entry


def _rows(found: Iterable[Examined]) -> Iterable[tuple[str, Change, str | None]]:
    return (
        (each.model_id, change, each.effect(change)) for each in found for change in each.changes
    )


def _document(examined: Examined) -> dict[str, Any]:
    return {
        "modelId": examined.model_id,
        "reference": examined.entry["reference"],
        "gone": examined.documents is None,
        "changes": [
            {
                "kind": each.kind,
                "input": each.input,
                "message": each.message,
                "breaks": examined.effect(each),
            }
            for each in examined.changes
        ],
    }


def _count(found: Sequence[Examined]) -> str:
    return found[0].model_id if len(found) == 1 else f"{len(found)} models"
