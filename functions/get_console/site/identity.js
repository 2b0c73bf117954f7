// Who asks: the credential, the user whose jobs are made, and whose jobs are shown.

const VALID = /^[A-Za-z0-9._@:|+=~-]{1,128}$/;
const REMEMBERED = 6;

/** The credential leaves with the tab; with a token or a user's key ("bearer") the user is its own. */
export const identity = {
  get kind() { return sessionStorage.getItem("vsl.kind") || "none"; },
  get credential() { return sessionStorage.getItem("vsl.credential") || ""; },
  /** A back end and the local stack may act for every user; a token is one user's. */
  get operator() { return this.kind !== "token" && this.kind !== "bearer"; },
  get everyone() { return this.operator && localStorage.getItem("vsl.everyone") === "yes"; },
  /** Whose jobs are made; null for a token or a user's key, which names its user itself. */
  get userId() { return this.operator ? localStorage.getItem("vsl.userId") || "me" : null; },
  /** Whose jobs a list shows: null for all that may be seen. */
  get shown() { return this.everyone ? null : this.userId; },
  get name() { return this.operator ? this.userId : this.kind === "bearer" ? "own key" : tokenName(this.credential); },
  get others() { return remembered().filter((each) => each !== this.userId); },
  signIn({ kind, credential }) {
    sessionStorage.setItem("vsl.kind", kind);
    sessionStorage.setItem("vsl.credential", credential);
  },
  workAs(userId, everyone) {
    const known = new Set([userId, this.userId, ...remembered()].filter(Boolean));
    localStorage.setItem("vsl.users", JSON.stringify([...known].slice(0, REMEMBERED)));
    localStorage.setItem("vsl.userId", userId);
    localStorage.setItem("vsl.everyone", everyone ? "yes" : "no");
  },
  headers() {
    if (this.kind === "key") return { "x-api-key": this.credential };
    if (this.kind === "token") return { Authorization: this.credential };
    if (this.kind === "bearer") return { Authorization: `Bearer ${this.credential}` };
    return {};
  },
};

/** What is wrong with a user id, or nothing. */
export function faultOfUser(userId) {
  if (!userId) return "Enter a user id: each job belongs to a user.";
  if (userId === "stage") return "No user may be called stage.";
  return VALID.test(userId) ? "" : "Use up to 128 letters, digits and . _ @ : | + = ~ -";
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem("vsl.users")) || [];
  } catch {
    return [];
  }
}

/** What the token says of its user, for people; the API reads it for itself. */
function tokenName(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (each) => each.codePointAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return claims.email || claims["cognito:username"] || claims.sub || "signed in";
  } catch {
    return "signed in";
  }
}
