export { Client, type ClientOptions, type JobFilters, type JobOptions } from "./client.js";
export { download, type JobFile, read } from "./download.js";
export { VslError } from "./errors.js";
export type { components, operations, paths } from "./types.js";
export { type Event, verifyWebhook } from "./webhooks.js";
