// Whose jobs are made and shown: always to be seen, and for operators to be changed.

import { h } from "./dom.js";
import { faultOfUser, identity } from "./identity.js";

/** The button of the frame tells who works here. */
export function showUser(button) {
  const who = identity.name;
  const role = identity.operator ? (identity.everyone ? "all users shown" : "operator") : "signed in";
  button.setAttribute("aria-label", `${who}, ${role}: change whose jobs these are`);
  button.replaceChildren(
    h("span", { class: "avatar", "aria-hidden": "true" }, who[0].toUpperCase()),
    h("span", { class: "who" }, who), h("span", { class: "role" }, role));
}

/** `saved` is called when something is chosen, `other` when the person wants other credentials. */
export function chooseUser(saved, other) {
  const signOut = h("button", { type: "button", class: "quiet", onclick: () => {
    dialog.close();
    other();
  } }, identity.kind === "none" ? "Sign in …" : "Other key or token …");
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const content = identity.operator ? operator(close, signOut, (userId, everyone) => {
    identity.workAs(userId, everyone);
    dialog.close();
    saved();
  }) : [
    h("p", {}, "You are signed in as ", h("strong", {}, identity.name), ". It is one user's: you see your own jobs."),
    h("div", { class: "actions" }, signOut, close)];
  const dialog = h("dialog", { "aria-labelledby": "whose-title", onclose: () => dialog.remove() },
    h("h2", { id: "whose-title" }, identity.operator ? "Work as" : "Your account"), content);
  document.body.append(dialog);
  dialog.showModal();
}

function operator(close, signOut, saved) {
  const user = h("input", { id: "user-id", value: identity.userId, list: "known-users", maxlength: 128, autocomplete: "off", spellcheck: "false", autocapitalize: "off", "aria-describedby": "user-id-hint user-id-error" });
  const all = h("input", { id: "everyone", type: "checkbox" });
  all.checked = identity.everyone;
  const fault = h("p", { class: "error", id: "user-id-error", role: "alert" });
  return h("form", { novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const userId = user.value.trim();
    fault.textContent = faultOfUser(userId);
    if (!fault.textContent) return saved(userId, all.checked);
    user.setAttribute("aria-invalid", "true");
    user.focus();
  } },
  h("div", {}, h("label", { for: "user-id" }, "User id"), user,
    h("datalist", { id: "known-users" }, identity.others.map((each) => h("option", { value: each }))), fault,
    h("p", { class: "hint", id: "user-id-hint" }, "Jobs that you make are this user's, and count in this user's budgets.")),
  h("div", { class: "check" }, all, h("label", { for: "everyone" }, "Show the jobs of all users")),
  h("div", { class: "actions" }, signOut, close, h("button", { type: "submit", class: "primary" }, "Save")));
}
