"""`vsl models add`: a model of the provider becomes an entry of the catalogue."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.models import generate_words
from cli.client.screen import Screen
from cli.models.catalogue_text import entries, put_entry
from cli.models.hardware import rates
from cli.models.provider import Documents, teach_stand_in
from cli.models.stores import CatalogueStore, same_entry
from cli.models.translation.entry import Options, Proposal, RefusedError, propose
from cli.models.translation.names import model_id
from cli.models.translation.reference import Reference
from cli.models.view import show_proposal
from cli.models.where import Where
from devstack.paths import program


def add_command(
    text: str,
    options: Options,
    where: Where,
    screen: Screen,
    *,
    model_id: str | None,
    replaced: bool,
    dry_run: bool,
) -> None:
    """`model_id` is None for a name like the provider's. Raises CommandError."""
    reference = read_reference(text)
    store = where.store()
    present = entries(store.read())
    with where.provider() as provider:
        documents = provider.read(reference)
    name = _model_id(reference, model_id, present)
    proposal = proposed(documents, name, options)
    verdict = _verdict(proposal, present.get(name), replaced=replaced)
    if not dry_run and verdict != "unchanged":
        store.change(_edit(proposal, replaced=replaced))
    taught = False
    if where.stage is None and provider.name == "Replicate" and not dry_run:
        taught = teach_stand_in(where.state, documents)
    _tell(proposal, documents, verdict, store, screen, dry_run=dry_run)
    if taught:
        screen.say("The stand-in of the local stack has the model, too.", "dim")


def read_reference(text: str) -> Reference:
    """Raises CommandError."""
    try:
        return Reference.parse(text)
    except ValueError as error:
        raise CommandError("InvalidReference", f"{error}.", Exit.REFUSED) from None


def proposed(documents: Documents, name: str, options: Options) -> Proposal:
    """Raises CommandError, naming every input that stands in the way."""
    try:
        return propose(documents.published, name, options, today(), rates())
    except RefusedError as error:
        reasons = [
            {"input": each.input, "why": each.why, "message": str(each)} for each in error.obstacles
        ]
        message = f"{documents.reference} cannot be served: {error}."
        hint = "Nothing was written: an input that is required cannot be left out."
        if reasons[-1]["input"] is None:
            hint = "Nothing was written."
        raise CommandError("ModelNotServed", message, Exit.REFUSED, hint, reasons=reasons) from None
    except ValueError as error:
        message = f"{documents.reference}: {error}."
        hint = "--range NAME=MIN..MAX bounds a number; `vsl models add --help` has the others."
        raise CommandError("InvalidEntry", message, Exit.REFUSED, hint) from None


def today() -> date:
    return datetime.now(UTC).date()


def _model_id(
    reference: Reference, wanted: str | None, present: Mapping[str, tuple[str, dict[str, Any]]]
) -> str:
    """As wanted; else that of the entry for the same model; else the model's name."""
    if wanted is not None:
        known = present.get(wanted)
        if known is not None and not _is_for(known[1], reference):
            message = f"{wanted} is there already: {known[1]['reference']}."
            raise CommandError("IdTaken", message, Exit.REFUSED, "Take another --id.")
        return wanted
    own = [name for name, (_, entry) in present.items() if _is_for(entry, reference)]
    return own[0] if own else model_id(reference.owner, reference.name, present)


def _is_for(entry: Mapping[str, Any], reference: Reference) -> bool:
    return str(entry["reference"]).partition(":")[0] == reference.unpinned


def _verdict(
    proposal: Proposal, known: tuple[str, dict[str, Any]] | None, *, replaced: bool
) -> str:
    """Raises CommandError for an entry that is there and says otherwise."""
    if known is None:
        return "added"
    media, entry = known
    if media == proposal.media and same_entry(entry, proposal.entry):
        return "unchanged"
    if replaced:
        return "replaced"
    keys = {*entry, *proposal.entry} - {"source"}
    differing = sorted(key for key in keys if entry.get(key) != proposal.entry.get(key))
    differing += ["mediaType"] if media != proposal.media else []
    name = proposal.model_id
    message = f"{name} is there already and differs in {', '.join(differing) or 'its source'}."
    hint = (
        f"`{program()} models update {name}` takes over what has changed at the provider and keeps"
        " what is yours; --replace writes it anew; --id NAME adds it a second time."
    )
    raise CommandError("AlreadyAdded", message, Exit.REFUSED, hint, differs=differing)


def _edit(proposal: Proposal, *, replaced: bool) -> Callable[[str], str]:
    name = proposal.model_id

    def edit(text: str) -> str:
        known = entries(text).get(name)
        if known is not None and not (replaced or same_entry(known[1], proposal.entry)):
            message = f"{name} has been added meanwhile, and says otherwise."
            raise CommandError("AlreadyAdded", message, Exit.REFUSED, "Look at it first.")
        return put_entry(text, proposal.media, name, proposal.entry)

    return edit


def _tell(
    proposal: Proposal,
    documents: Documents,
    verdict: str,
    store: CatalogueStore,
    screen: Screen,
    *,
    dry_run: bool,
) -> None:
    written = verdict != "unchanged" and not dry_run
    report = {
        "modelId": proposal.model_id,
        "mediaType": proposal.media,
        "entry": proposal.entry,
        "leftOut": [
            {"input": each.input, "why": each.why, "message": each.message}
            for each in proposal.left_out
        ],
        "remarks": [asdict(each) for each in proposal.remarks],
        "guesses": [
            {"option": each.parameter, "message": each.message} for each in proposal.guesses
        ],
        "hardware": documents.hardware,
        "verdict": verdict,
        "written": store.place if written else None,
    }
    if screen.answer(report):
        return
    show_proposal(proposal, screen, documents.published.version)
    name = f"{proposal.media}.{proposal.model_id}"
    if verdict == "unchanged":
        screen.say(f"Nothing changed: {store.place} has {name} as it is.")
    elif dry_run:
        screen.say(f"Nothing was written; without --dry-run it becomes {name} of {store.place}.")
    else:
        screen.say(f"{verdict.capitalize()} as {name} in {store.place}.", "green")
        words = generate_words(proposal.model_id, proposal.entry["example"])
        screen.say(f"Try it: {program()} {words}")
    if documents.hardware and proposal.entry.get("price") is None:
        option = shlex.quote(documents.hardware)
        screen.say(f"The deployment runs on {option}: --hardware {option} prices it.")
