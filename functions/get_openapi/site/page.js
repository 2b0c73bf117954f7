// Shows the API's description with Scalar. The function says in the element's data what holds for this stage.

const place = document.getElementById("reference");
const canTry = place.dataset.tryIt === "true";

// Samples in these three languages; Scalar would offer two dozen.
const HIDDEN = {
  shell: ["httpie", "wget"],
  js: ["axios", "jquery", "ofetch", "xhr"],
  python: ["aiohttp", "httpx_async", "httpx_sync", "python3"],
};
const OTHERS = [
  "c", "clojure", "csharp", "dart", "fsharp", "go", "http", "java", "julia", "kotlin", "node", "objc", "ocaml",
  "php", "powershell", "r", "ruby", "rust", "swift",
];

Scalar.createApiReference(place, {
  url: place.dataset.document,
  hideTestRequestButton: !canTry,
  // The document's one scheme: samples carry its header, unless it is a signature.
  authentication: canTry ? { preferredSecurityScheme: "Caller" } : {},
  hiddenClients: { ...HIDDEN, ...Object.fromEntries(OTHERS.map((language) => [language, true])) },
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
  featuredClients: ["shell/curl", "js/fetch", "python/requests"],
  documentDownloadType: "direct",
  // All routes are seen at once, also by the keyboard.
  defaultOpenAllTags: true,
  showOperationId: true,
  // A credential leaves with the page.
  persistAuth: false,
  // Whatever would ask another host, or lead to a service of the renderer's maker.
  proxyUrl: "",
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
});
