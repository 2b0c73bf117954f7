// Who asks: a dialog, opened by its button or when the API refuses the caller.

import { identity } from "./api.js";
import { h } from "./dom.js";

const KINDS = [
  ["none", "Nothing (the local stack)"],
  ["key", "API key"],
  ["token", "Token of the user pool"],
];

/** `reason` is why it opens by itself; `saved` is called with nothing. */
export function settings(reason, saved) {
  if (document.querySelector("dialog[open]")) return;
  const userId = h("input", { id: "user-id", value: identity.userId || "me", maxlength: 128, autocomplete: "off", spellcheck: "false" });
  const credential = h("input", { id: "credential", type: "password", value: identity.credential, autocomplete: "off" });
  const kind = h(
    "select",
    { id: "credential-kind" },
    KINDS.map(([value, text]) => h("option", { value, selected: value === identity.kind }, text)),
  );
  const rows = {
    userId: h("div", { class: "field" }, h("label", { for: "user-id" }, "User id"), userId,
      h("p", { class: "hint" }, "Whose jobs are made and shown.")),
    credential: h("div", { class: "field" }, h("label", { for: "credential" }, "Key or token"), credential,
      h("p", { class: "hint" }, "Kept until this tab is closed.")),
  };
  const arrange = () => {
    rows.userId.hidden = kind.value === "token";
    rows.credential.hidden = kind.value === "none";
  };
  kind.addEventListener("change", arrange);
  arrange();
  const dialog = h(
    "dialog",
    { "aria-labelledby": "settings-title", onclose: () => dialog.remove() },
    h(
      "form",
      {
        method: "dialog",
        onsubmit: () => {
          identity.set({ kind: kind.value, credential: credential.value.trim(), userId: userId.value.trim() });
          saved();
        },
      },
      h("h2", { id: "settings-title" }, "Settings"),
      reason ? h("p", { class: "notice", role: "alert" }, reason) : null,
      h("div", { class: "field" }, h("label", { for: "credential-kind" }, "What the API asks for"), kind,
        h("p", { class: "hint" }, "A stage that asks for IAM signatures is reached by the vsl command instead.")),
      rows.credential,
      rows.userId,
      h("div", { class: "actions" },
        h("button", { type: "submit", class: "primary" }, "Save"),
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel")),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}
