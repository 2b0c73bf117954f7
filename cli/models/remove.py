"""`vsl models remove`: the catalogue without an entry."""

from cli.client.errors import CommandError, Exit
from cli.client.screen import Screen
from cli.models.catalogue_text import entries, remove_entry
from cli.models.check import known_id
from cli.models.where import Where


def remove_command(model_id: str, where: Where, screen: Screen, *, dry_run: bool) -> None:
    """Jobs that run keep what they were accepted with. Raises CommandError."""
    store = where.store()
    every = entries(store.read())
    _, entry = every[known_id(model_id, every)]
    if len(every) == 1:
        message = f"{model_id} is the only model, and a catalogue has one at least."
        raise CommandError("LastModel", message, Exit.REFUSED, "Add another one first.")

    def edit(text: str) -> str:
        try:
            return remove_entry(text, model_id)
        except KeyError:  # somebody else has taken it away meanwhile
            return text

    if not dry_run:
        store.change(edit)
    written = None if dry_run else store.place
    screen.answer({"modelId": model_id, "entry": entry, "written": written})
    if dry_run:
        screen.say(f"Nothing was written; without --dry-run {model_id} leaves {store.place}.")
    else:
        screen.say(f"Removed {model_id} from {store.place}. Jobs that run are not touched.")
