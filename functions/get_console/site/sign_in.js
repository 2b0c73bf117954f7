// What a stage asks of its callers, and the one form that answers it.

import { BASE } from "./api.js";
import { h } from "./dom.js";
import { faultOfUser, identity } from "./identity.js";

const FORMS = {
  key: { name: "API key", title: "This stage asks for an API key", text: "An operator of the stage has it: it is a key of API Gateway, sent as x-api-key." },
  bearer: { name: "key", title: "This stage asks for a key", text: "An operator of the stage makes it: `vsl keys create`. A key of one user names that user; with an operator's, say who you are.", optional: true },
  token: { name: "identity token", title: "This stage asks you to sign in", text: "Paste the identity token that your user pool gave you. It names you; access tokens are refused." },
  none: { title: "This stage asks for nothing", text: "It is a local stack: choose who you are." },
};

/** In place of the page; `problem` is why the API refused, null if the person came by themselves. */
export async function signIn(main, problem, saved) {
  const kind = await asked();
  const root = h("div", { class: "page" });
  root.append(kind === "signature" ? unreachable() : form(kind, problem, saved));
  document.title = "Sign in · VSL";
  main.replaceChildren(root);
  root.querySelector("input")?.focus();
}

/** The way to authenticate that the stage's own description names; it is open to everybody. */
async function asked() {
  const answer = await fetch(new URL("openapi.json", BASE)).catch(() => null);
  const described = answer?.ok ? await answer.json() : {};
  const schemes = Object.values(described.components?.securitySchemes || {});
  if (!schemes.length) return answer?.ok ? "none" : "key";
  const [scheme] = schemes;
  if (scheme["x-amazon-apigateway-authtype"] === "awsSigv4" || /sigv4/i.test(JSON.stringify(scheme))) return "signature";
  if (scheme.type === "http") return "bearer";
  return scheme.name?.toLowerCase() === "x-api-key" ? "key" : "token";
}

function unreachable() {
  return h("div", { class: "sign-in card" }, h("h1", {}, "This stage asks for IAM signatures"),
    h("p", { class: "hint" }, "A page cannot sign requests. Use the command line: ", h("code", {}, "vsl --stage STAGE"), "."));
}

function form(kind, problem, saved) {
  const about = FORMS[kind];
  const tried = problem && identity.credential;
  const credential = h("input", { id: "credential", type: "password", autocomplete: "off", spellcheck: "false" });
  const user = h("input", { id: "user-id", value: identity.operator && !about.optional ? identity.userId : "", maxlength: 128, autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  const faults = { credential: fault(), user: fault() };
  return h("div", { class: "sign-in card" }, h("h1", {}, about.title), h("p", { class: "hint" }, about.text),
    h("form", { novalidate: true, onsubmit: (event) => {
      event.preventDefault();
      const value = credential.value.trim();
      faults.credential.textContent = kind === "none" || value ? "" : `Enter the ${about.name}.`;
      const named = user.value.trim();
      faults.user.textContent = kind === "token" || (about.optional && !named) ? "" : faultOfUser(named);
      const wrong = [[credential, faults.credential], [user, faults.user]].find(([, each]) => each.textContent);
      if (wrong) return wrong[0].focus();
      // An operator's key is sent as API Gateway's is: its request names the user.
      identity.signIn({ kind: about.optional && named ? "key" : kind, credential: value });
      if (kind !== "token" && named) identity.workAs(named, identity.everyone);
      saved();
    } },
    kind === "none" ? null : h("div", {}, h("label", { for: "credential" }, about.name[0].toUpperCase() + about.name.slice(1)), credential, faults.credential,
      tried ? h("p", { class: "error", role: "alert" }, `The last one was refused: ${problem.message}`) : null,
      h("p", { class: "hint" }, "Kept until this tab is closed.")),
    kind === "token" ? null : h("div", {}, h("label", { for: "user-id" }, about.optional ? "User id, with an operator's key" : "User id"), user, faults.user,
      h("p", { class: "hint" }, "Jobs that you make are this user's.")),
    h("button", { type: "submit", class: "primary" }, "Continue")));
}

function fault() {
  return h("p", { class: "error", role: "alert" });
}
