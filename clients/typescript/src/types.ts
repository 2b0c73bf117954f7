// Made by `make clients`.
export interface paths {
    "/generate-media": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept a job and answer at once, or with its end
         * @description The same Idempotency-Key with the same body gives the same job for a day; with another body it is refused, and once the job is deleted it is gone. A request that is refused binds its key to nothing. With Prefer: wait=N (RFC 7240, at most 25 seconds) the answer is the finished job if it ends in time. Of one user only so many requests wait at once: without Preference-Applied the answer came at once.
         */
        post: operations["generateMedia"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/status/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a job stands
         * @description With wait the answer comes when the status changes. The ETag spares an answer that says nothing new.
         */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs, newest first
         * @description A page may be shorter than asked for although nextCursor says that more follow.
         */
        get: operations["listJobs"];
        put?: never;
        /**
         * Accept a job and answer at once, or with its end
         * @description The same as POST /generate-media, answer and all. Location and statusUrl lead to GET /status/{jobId}.
         */
        post: operations["createJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a job stands
         * @description The same as GET /status/{jobId}.
         */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /**
         * Delete a job's media and personal data
         * @description What it cost, when and for whom stays in the accounting. A job that runs must be canceled first.
         */
        delete: operations["deleteJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{jobId}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where a job's time went
         * @description Segments without gaps, from the request to the end or until now, and the events that they come from.
         */
        get: operations["getTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{jobId}/callbacks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What came of telling the client of the end
         * @description Each attempt with what the client answered, for a job with a callbackUrl.
         */
        get: operations["listCallbacks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{jobId}/callbacks/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tell the client of the end once more
         * @description A delivery with attempts of its own, signed anew. The job must have ended.
         */
        post: operations["replayCallback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhook-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The secret that a user's callbacks are signed with
         * @description Each user has one of their own. While the deployment's secret is rotated, callbacks carry a signature by each.
         */
        get: operations["getWebhookSecret"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{jobId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a job, at the provider too
         * @description Asking again changes nothing. A job that has ended stays as it is.
         */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A form by which one file goes straight to S3
         * @description Post the fields and, last, the file to url as multipart/form-data. The handle then stands for the file in the user's jobs, for a day.
         */
        post: operations["createUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhook/replicate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The provider tells that a prediction has started or ended
         * @description Without a key: the provider cannot send one. Its signature over the raw body is checked before anything else.
         */
        post: operations["processWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the last hours went, over all users
         * @description Counts, rates, times and money, in all, by model and by hour.
         */
        get: operations["getOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a user has spent and may still spend
         * @description Of each period: its limit, what is spent and what is held for jobs that are not settled yet.
         */
        get: operations["getBudget"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs and money by day, user, model and media type
         * @description Of the jobs created on these days (UTC). A user sees their own jobs; a back end those of all users, or of one.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{owner}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The budgets of a user, or of the whole deployment
         * @description With the limits in force, own or by default.
         */
        get: operations["getBudgets"];
        /**
         * Give a user, or the whole deployment, a limit of its own
         * @description A limit below what is spent stops new jobs and nothing else; 0 closes the budget; null goes back to the deployment's default.
         */
        put: operations["setBudget"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add credits that a user has paid for
         * @description From the first credits on, a user's jobs are paid from them. The same key with the same body adds them once, and gets the same answer.
         */
        post: operations["grantCredits"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The movements of a job's money
         * @description Each is an amount from one account to another; orphaned predictions of the job included.
         */
        get: operations["getLedger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Keys that were made, without their secrets
         * @description In no order; a page may be shorter than asked for although nextCursor says that more follow. A key that has expired or was revoked is listed for 30 days more.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make a key, which is shown this once
         * @description With userId it is that user's and reaches nothing of others, without it is an operator's, which speaks for a trusted back end. Keys can be made whatever ApiAuth says; they open the API where it says KEYS. The answer is the only one with the secret. The same Idempotency-Key never makes a second key; it is refused with the keyId of the first, to be revoked if its answer was lost.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{keyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take a key back for good
         * @description It opens nothing any more after at most 30 seconds. Repeating it is a success.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The catalogue
         * @description Each model with its price, its usual time and an example that works.
         */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{modelId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One model with the JSON Schema of its parameters
         * @description A body's parameters are valid if this schema and the deployment's rules for addresses say so.
         */
        get: operations["getModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{modelId}/estimate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a job would cost and how long it would take
         * @description Nothing is made, counted or paid for. Parameters are checked as those of a job are.
         */
        post: operations["estimateJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mcp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The Model Context Protocol, for agents
         * @description Streamable HTTP without sessions and streams: one JSON-RPC message, answered with JSON. The tools are list_models, describe_model, estimate, generate, get_job, cancel_job and my_budget; docs/compatibility.md.
         */
        post: operations["sendMcpMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openai/v1/images/generations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * OpenAI's images API, one job and its pictures
         * @description For OpenAI's own clients with another base URL. The answer comes when the job has ended. One that takes longer than about 26 seconds ends the wait with 409 where the client marks its repetitions (x-stainless-retry-count) or sent an Idempotency-Key, and the repetition waits on for the same job; with 422 otherwise.
         */
        post: operations["createImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openai/v1/images/edits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * OpenAI's images API, a job that begins with pictures
         * @description As POST /openai/v1/images/generations, with files of at most 4 MB together: what a request to Lambda can hold.
         */
        post: operations["editImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openai/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The models that make images, as OpenAI's clients list models
         * @description The aliases that the operator gave (ModelAliases), then the catalogue's own ids.
         */
        get: operations["listOpenAIModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openai/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One model that makes images, as OpenAI's clients ask for it
         * @description By its id in the catalogue, or by an alias of the operator's.
         */
        get: operations["getOpenAIModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document
         * @description Open to everybody; it holds no secret.
         */
        get: operations["getOpenapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        McpMessage: {
            /** @enum {string} */
            jsonrpc: "2.0";
            /** @description Of a request; a notification has none. */
            id?: string | number;
            /** @description Such as tools/call. */
            method: string;
            params?: {
                [key: string]: unknown;
            };
        };
        McpAnswer: {
            /** @enum {string} */
            jsonrpc: "2.0";
            /** @description Of the request; null where there was none to be read. */
            id?: (string | null) | (number | null);
            result?: {
                [key: string]: unknown;
            };
            error?: {
                code: number;
                message: string;
                data?: {
                    [key: string]: unknown;
                };
            };
        };
        /** @description Members that are not OpenAI's are parameters of the model, by their public names. */
        ImageGeneration: {
            /** @description A model of GET /openai/v1/models. */
            model: string;
            /** @description What the image shows. */
            prompt: string;
            /** @description Images of this one request; no more than the model makes at a time. */
            n?: number | null;
            /** @description auto, or WIDTHxHEIGHT: the model's width and height, else its nearest aspect_ratio. */
            size?: string | null;
            /** @description auto and standard leave it to the model; any other for a model that has a parameter of this name. */
            quality?: string | null;
            /** @description auto leaves it to the model; any other for a model that has a parameter of this name. */
            background?: string | null;
            /** @description auto leaves it to the model; any other for a model that has a parameter of this name. */
            moderation?: string | null;
            /** @description For a model that can be told: png, jpeg or webp. */
            output_format?: string | null;
            /** @description For a model with output_quality. */
            output_compression?: number | null;
            /**
             * @description What an answer has; both, if it is left out.
             * @enum {string|null}
             */
            response_format?: "url" | "b64_json" | null;
            /** @description Kept as metadata of the job; whose job it is, the caller's identity says. */
            user?: string | null;
        } & {
            [key: string]: unknown;
        };
        ImageEdit: {
            /** @description A model of GET /openai/v1/models. */
            model: string;
            /** @description What the image shows. */
            prompt: string;
            /** @description Images of this one request; no more than the model makes at a time. */
            n?: number;
            /** @description auto, or WIDTHxHEIGHT: the model's width and height, else its nearest aspect_ratio. */
            size?: string;
            /** @description auto and standard leave it to the model; any other for a model that has a parameter of this name. */
            quality?: string;
            /** @description auto leaves it to the model; any other for a model that has a parameter of this name. */
            background?: string;
            /** @description auto leaves it to the model; any other for a model that has a parameter of this name. */
            moderation?: string;
            /** @description For a model that can be told: png, jpeg or webp. */
            output_format?: string;
            /** @description For a model with output_quality. */
            output_compression?: number;
            /**
             * @description What an answer has; both, if it is left out.
             * @enum {string}
             */
            response_format?: "url" | "b64_json";
            /** @description Kept as metadata of the job; whose job it is, the caller's identity says. */
            user?: string;
            /**
             * Format: binary
             * @description PNG, JPEG, WebP or GIF; several as image[], for a model that takes several.
             */
            image: string;
            /**
             * Format: binary
             * @description For a model that takes one.
             */
            mask?: string;
        } & {
            [key: string]: unknown;
        };
        GeneratedImages: {
            /** @description Seconds since 1970. */
            created: number;
            data: {
                /**
                 * Format: uri
                 * @description Signed, for as long as SignedUrlSeconds says.
                 */
                url?: string;
                /** @description The file in base64. */
                b64_json?: string;
            }[];
        };
        OpenAIModel: {
            id: string;
            /** @enum {string} */
            object: "model";
            /** @description Seconds since 1970: when the entry was read from the provider, 0 where that is not known. */
            created: number;
            owned_by: string;
        };
        OpenAIModelList: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["OpenAIModel"][];
        };
        OpenAIError: {
            error: {
                message: string;
                /** @description OpenAI's kind of error. */
                type: string;
                /** @description The member at fault. */
                param: string | null;
                /** @description OpenAI's code where it has one, else ours. */
                code: string | null;
            };
        };
        GenerateRequest: {
            /** @description Whose job it is; limits and listings go by it. Required of a trusted back end; with a token or a user's key it is their user. */
            userId?: string;
            /** @enum {string} */
            mediaType?: "image" | "video" | "audio" | "text" | "file";
            /** @description A model of GET /models. */
            modelId: string;
            /** @description The model's parameters by their public names, each of any JSON type; GET /models/{modelId} has their schema. */
            parameters?: {
                [key: string]: unknown;
            };
            /** @description Short for parameters.prompt. */
            prompt?: string;
            /** @description The caller's own words about the job: keys of 1 to 40 letters, digits or _ . : -, values of text, at most 2,048 bytes as JSON. GET /jobs finds jobs by them. */
            metadata?: {
                [key: string]: string;
            };
            /**
             * Format: uri
             * @description Where to POST the job's status when it ends, signed by Standard Webhooks; https and public, http on the local stack alone.
             */
            callbackUrl?: string;
            /** @description What callbackUrl is called for; by default the end alone. started: the provider has taken the prediction. */
            callbackEvents?: ("started" | "ended")[];
            /**
             * @description Which of a user's jobs go first while the provider takes no more (interactive, if it is left out): a batch has an eighth of the share of what a person waits for.
             * @enum {string}
             */
            priority?: "interactive" | "batch";
        };
        EstimateRequest: {
            /** @description Whose budgets are asked; with Cognito the token's subject. */
            userId?: string | null;
            /** @description The model's parameters by their public names, each of any JSON type; GET /models/{modelId} has their schema. */
            parameters?: {
                [key: string]: unknown;
            };
            /** @description Short for parameters.prompt. */
            prompt?: string;
            /**
             * @description Of the job whose wait is estimated; interactive, unless it is told.
             * @enum {string}
             */
            priority?: "interactive" | "batch";
        };
        Estimate: {
            modelId: string;
            /** @enum {string} */
            mediaType: "image" | "video" | "audio" | "text" | "file";
            /** @description US dollars; null for a model without a price. */
            estimatedCost: string | null;
            /** @description Seconds. */
            estimatedTime: number;
            /** @description US dollars: the most that the job may cost, held of the budgets while it runs. */
            wouldHold: string;
            /** @description Whether the budgets have room for it now; null without a user, and while PostgreSQL is away. */
            admitted: boolean | null;
            /** @description The budget without room, the model that takes no jobs, or the one without a price. Of the deployment's own budget no amounts are told. */
            refusedBy: {
                /** @enum {string} */
                of: "user" | "stage" | "model" | "unpriced";
                modelId?: string;
                userId?: string;
                /** @enum {string} */
                period?: "day" | "month" | "total" | "credit";
                limit?: string | null;
                spent?: string;
                held?: string;
                left?: string | null;
                /** Format: date-time */
                resetsAt?: string | null;
            } | null;
            /** @description Where a job submitted now would stand in the queue for the provider. 0: it would start at once; null: not known (Redis is away). */
            queuePosition: number | null;
            /**
             * Format: date-time
             * @description When its turn should come, as the queue moves now; null where queuePosition is.
             */
            estimatedStart: string | null;
            /**
             * Format: date-time
             * @description With estimatedStartLatest the bounds between which four of five jobs start.
             */
            estimatedStartEarliest: string | null;
            /**
             * Format: date-time
             * @description The later of these bounds.
             */
            estimatedStartLatest: string | null;
            /** @description With the defaults filled in. */
            parameters: {
                [key: string]: unknown;
            };
        };
        UploadRequest: {
            /** @description Whose file it is; with Cognito the token's subject. */
            userId?: string;
            /** @enum {string} */
            contentType: "image/png" | "image/jpeg" | "image/webp" | "image/gif" | "audio/wav" | "audio/mpeg" | "audio/ogg" | "audio/flac" | "audio/mp4" | "video/mp4" | "video/webm";
            /** @description For people, without a path. */
            fileName?: string | null;
            /** @description Bytes. If given, S3 takes a file of exactly this size. */
            size?: number | null;
        };
        Upload: {
            uploadId: string;
            /** @description Give it as an image or audio parameter: upload:{uploadId}. */
            handle: string;
            url: string;
            /** @description Send all of them before the file. */
            fields: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Until then S3 takes the file.
             */
            expiresAt: string;
            maxBytes: number;
        };
        Accepted: {
            jobId: string;
            /**
             * @description pending, unless the request is a repetition or has waited.
             * @enum {string}
             */
            status: "pending" | "processing" | "storing" | "succeeded" | "failed" | "canceled";
            /** @description Seconds. */
            estimatedTime: number;
            /** @description US dollars; null for a model without a price. */
            estimatedCost: string | null;
            /** @description Known a moment after acceptance. */
            replicateId: string | null;
            /** @description Where the job will stand in the queue for the provider, as it was when the job was admitted. 0: there was a slot for it; null: not known, or the job is at work already (a repeated request). */
            queuePosition: number | null;
            /**
             * Format: date-time
             * @description When its turn should come, as the queue moves now; null where queuePosition is.
             */
            estimatedStart: string | null;
            /**
             * Format: date-time
             * @description With estimatedStartLatest the bounds between which four of five jobs start.
             */
            estimatedStartEarliest: string | null;
            /** Format: date-time */
            estimatedStartLatest: string | null;
            statusUrl: string;
        };
        Canceled: {
            jobId: string;
            /** @enum {string} */
            status: "pending" | "processing" | "storing" | "succeeded" | "failed" | "canceled";
            cancelRequested: boolean;
        };
        JobStatus: {
            jobId: string;
            /** @description Whose job it is; in a callback also whose secret signed it. */
            userId: string;
            /** @enum {string} */
            status: "pending" | "processing" | "storing" | "succeeded" | "failed" | "canceled";
            /** @enum {string} */
            mediaType: "image" | "video" | "audio" | "text" | "file";
            modelId: string;
            /** @description Of the parameters; null: there is none, or PostgreSQL is away. */
            prompt: string | null;
            /** @description As the caller gave it; null while PostgreSQL is away. */
            metadata: {
                [key: string]: string;
            } | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** Format: date-time */
            completedAt: string | null;
            /** @description Seconds. */
            estimatedTime: number;
            /** @description US dollars; null for a model without a price. */
            estimatedCost: string | null;
            /** @description US dollars. */
            actualCost: string | null;
            /** @description US dollars: the most that the job may cost, held of the budgets while it runs. */
            heldCost: string | null;
            replicateId: string | null;
            progress: number | null;
            /** @description While the job is queued for the provider; null otherwise, and while Redis is away. */
            queuePosition: number | null;
            /**
             * Format: date-time
             * @description When its turn should come, as the queue moves now; null where queuePosition is.
             */
            estimatedStart: string | null;
            /**
             * Format: date-time
             * @description With estimatedStartLatest the bounds between which four of five jobs start.
             */
            estimatedStartEarliest: string | null;
            /** Format: date-time */
            estimatedStartLatest: string | null;
            /** @description The first of outputs. */
            result: components["schemas"]["Output"] | null;
            outputs: components["schemas"]["Output"][];
            /** @description Why the job did not succeed, for a person. */
            error: string | null;
            /** @description Stable; the name to program against. */
            errorCode: string | null;
            /** @description What the provider itself said of the error, at most 2,000 characters. */
            errorDetail: string | null;
            /** @description The end of the model's log, at most 2,000 characters. */
            logs: string | null;
            /** @description With include=parameters. */
            parameters?: {
                [key: string]: unknown;
            } | null;
        };
        JobList: {
            jobs: components["schemas"]["JobStatus"][];
            /** @description Give it as cursor for the next page. */
            nextCursor: string | null;
        };
        Timeline: {
            jobId: string;
            /** @enum {string} */
            status: "pending" | "processing" | "storing" | "succeeded" | "failed" | "canceled";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            completedAt: string | null;
            /** @description Seconds, to the end or until now. */
            wallTime: number;
            /** @description Who told that the prediction had ended, such as webhook or poller. */
            wokenBy: string | null;
            /** @description Submissions after the first one. */
            retries: number;
            /** @description US dollars; null for a model without a price. */
            estimatedCost: string | null;
            /** @description US dollars held of the budgets: until the job's cost is known, which may be after its end. */
            heldCost: string | null;
            /** @description US dollars. */
            actualCost: string | null;
            /** @description The execution in the console of Step Functions; left out with a user's token. */
            executionUrl?: string | null;
            segments: components["schemas"]["Segment"][];
            events: components["schemas"]["JobEvent"][];
        };
        Callbacks: {
            jobId: string;
            callbackUrl: string | null;
            attempts: components["schemas"]["CallbackAttempt"][];
        };
        CallbackAttempt: {
            /** @description end, start, or the id of a replay. */
            deliveryId: string;
            /** @description From 1 to 8. */
            attempt: number;
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            outcome: "delivered" | "failed" | "exhausted" | "gone";
            statusCode: number | null;
            /** @description Why there was no answer. */
            error: string | null;
            /** @description What the client answered, its first 1,024 bytes. */
            response: string | null;
            durationMs: number;
            /** Format: date-time */
            nextAttemptAt: string | null;
        };
        Replay: {
            jobId: string;
            deliveryId: string;
        };
        WebhookSecret: {
            userId: string;
            /** @description whsec_ and base64. */
            secret: string;
            /** @description Sign as well while the deployment's secret is rotated. */
            previous: string[];
        };
        Operations: {
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until: string;
            /** @description Ended ones were created in this time; pending, processing and storing is whatever runs now. */
            jobs: {
                pending: number;
                processing: number;
                storing: number;
                succeeded: number;
                failed: number;
                canceled: number;
            };
            /** @description Of the jobs that succeeded or failed, 0 to 1. */
            successRate: number | null;
            /** @description Succeeded jobs' seconds, from the request to the end and by phase. */
            latency: {
                p50: number | null;
                p95: number | null;
                p99: number | null;
                phases: {
                    queue: components["schemas"]["Percentiles"] | null;
                    run: components["schemas"]["Percentiles"] | null;
                    notify: components["schemas"]["Percentiles"] | null;
                    store: components["schemas"]["Percentiles"] | null;
                };
            };
            /** @description US dollars. */
            spend: {
                /** @description What is known to have been paid. */
                total: string;
                estimated: string;
                byModel: components["schemas"]["ModelOperations"][];
            };
            orphaned: {
                /** @description Predictions that no job had a use for. */
                predictions: number;
                /** @description US dollars, as far as it is known. */
                cost: string;
            };
            failures: {
                code: string;
                jobs: number;
            }[];
            /** @description Who told first that the prediction had ended, and how often. */
            wokenBy: {
                [key: string]: number;
            };
            /** @description The job that waits longest for its prediction's end. */
            oldestWaiting: {
                jobId: string;
                /** Format: date-time */
                since: string;
                seconds: number;
            } | null;
            /** @description Jobs that wait for a turn at the provider; 0 while Redis is away. */
            queued: number;
            /** @description Requests of all callers to the API, as API Gateway counts them; null while CloudWatch does not answer. */
            api: {
                requests: number;
                /** @description Answered with a 4xx, of API Gateway's own too. */
                refused: number;
                /** @description Answered with a 5xx. */
                faults: number;
            } | null;
            /** @description The deployment's alarms, by name; null while CloudWatch does not answer. */
            alarms: {
                /** @description Without the stage. */
                name: string;
                /** @enum {string} */
                state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
                description: string;
                /**
                 * Format: uri
                 * @description What to do about it.
                 */
                runbook: string | null;
            }[] | null;
            /** @description One entry for each hour of the clock, also where nothing was; the oldest first. */
            byHour: {
                /** Format: date-time */
                hour: string;
                succeeded: number;
                failed: number;
                canceled: number;
                spend: string;
            }[];
        };
        Budget: {
            /** @enum {string} */
            of: "user" | "stage";
            userId?: string;
            /**
             * @description total never ends; credit is what was granted in advance.
             * @enum {string}
             */
            period: "day" | "month" | "total" | "credit";
            /** @description null: there is none. 0: no jobs. */
            limit: string | null;
            /** @description By jobs of this period that are settled. */
            spent: string;
            /** @description For jobs of this period that are not settled yet. */
            held: string;
            left: string | null;
            /** Format: date-time */
            resetsAt: string | null;
            /** @description The limit is the owner's own, not the deployment's default. */
            own: boolean;
        };
        OwnBudgets: {
            userId: string;
            budgets: components["schemas"]["Budget"][];
            /** @description Whether there is any room, in the whole deployment's budgets, too. */
            canStart: boolean;
        };
        Budgets: {
            /** @enum {string} */
            of: "user" | "stage";
            userId?: string;
            budgets: components["schemas"]["Budget"][];
            /** @description Whether there is any room in these budgets. */
            canStart: boolean;
        };
        BudgetLimit: {
            /** @enum {string} */
            period: "day" | "month" | "total";
            /** @description US dollars, such as 0.021; null: the default. */
            limit: string | null;
        };
        Credits: {
            userId: string;
            /** @description US dollars, such as 12.50; more than 0. */
            amount: string;
        };
        Usage: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            by: ("day" | "userId" | "modelId" | "mediaType")[];
            /** @description null: all users. */
            userId: string | null;
            lines: components["schemas"]["UsageLine"][];
            total: components["schemas"]["UsageLine"];
        };
        UsageLine: {
            /** Format: date */
            day?: string;
            userId?: string;
            modelId?: string;
            /** @enum {string} */
            mediaType?: "image" | "video" | "audio" | "text" | "file";
            jobs: number;
            succeeded: number;
            /** @description What users paid. */
            spent: string;
            /** @description Not spent yet. */
            held: string;
            /** @description What the deployment paid beyond that. */
            stage: string;
        };
        NewKey: {
            /** @description Whose key it is; without it is an operator's. */
            userId?: string;
            /** @description What the key is for. */
            project?: string;
            /**
             * Format: date-time
             * @description Until when it is good; without an end it is good until it is revoked.
             */
            expiresAt?: string;
            /** @description The same in seconds from now; not together with expiresAt. */
            expiresIn?: number;
            /** @description For how many seconds equal requests by this key without an Idempotency-Key are one; 0, as without it: never. */
            dedupeSeconds?: number;
        };
        Key: {
            /** @description The part of the key that is no secret. */
            keyId: string;
            /** @description Whose key it is; null for an operator's. */
            userId: string | null;
            /** @description What the key is for. */
            project: string | null;
            /** @enum {string} */
            status: "active" | "expired" | "revoked";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            revokedAt: string | null;
            /** @description For how many seconds equal requests are one; 0: never. */
            dedupeSeconds: number;
        };
        CreatedKey: {
            /** @description The part of the key that is no secret. */
            keyId: string;
            /** @description Whose key it is; null for an operator's. */
            userId: string | null;
            /** @description What the key is for. */
            project: string | null;
            /** @enum {string} */
            status: "active" | "expired" | "revoked";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            revokedAt: string | null;
            /** @description For how many seconds equal requests are one; 0: never. */
            dedupeSeconds: number;
            /** @description The whole key, sent as Authorization: Bearer or as x-api-key; nothing tells it again. */
            key: string;
        };
        Keys: {
            keys: components["schemas"]["Key"][];
            nextCursor: string | null;
        };
        Ledger: {
            jobId: string;
            movements: components["schemas"]["Movement"][];
        };
        /** @description An amount that went from one account to another, once per subject and movement. */
        Movement: {
            entry: number;
            /** @enum {string} */
            movement: "hold" | "charge" | "release" | "overrun" | "orphan" | "grant" | "correction" | "late";
            /** @description The job, or a prediction that it had no use for. */
            subject: string;
            jobId: string | null;
            from: string;
            to: string;
            amount: string;
            /** Format: date-time */
            at: string;
        };
        Percentiles: {
            p50: number;
            p95: number;
            p99: number;
        };
        ModelOperations: {
            modelId: string;
            /** @enum {string} */
            mediaType: "image" | "video" | "audio" | "text" | "file";
            succeeded: number;
            failed: number;
            canceled: number;
            running: number;
            successRate: number | null;
            latency: components["schemas"]["Percentiles"] | null;
            spend: string;
            estimated: string;
        };
        Segment: {
            /** @enum {string} */
            name: "validate" | "rate_limit" | "start" | "slot" | "retry" | "submit" | "queue" | "run" | "notify" | "wake" | "store" | "finalize";
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            seconds: number;
            actor: string;
            /** @description What is known of it; not meant for programs. */
            detail: {
                [key: string]: unknown;
            };
        };
        JobEvent: {
            name: string;
            /** Format: date-time */
            at: string;
            source: string;
            /** @description What is known of it; not meant for programs. */
            detail: {
                [key: string]: unknown;
            };
        };
        Output: {
            /** @description Readable for at least half of SignedUrlSeconds. */
            originalUrl: string;
            thumbnailUrl: string | null;
            s3Path: string;
            /** @description By the file itself. What is not media, a text included, is served as an attachment of type application/octet-stream. */
            contentType: string;
            /** @description Bytes. */
            fileSize: number;
            sha256: string;
            /** @description Pixels. */
            width: number | null;
            /** @description Pixels. */
            height: number | null;
            /** @description Seconds. */
            duration: number | null;
            fps: number | null;
            codec: string | null;
        };
        ModelList: {
            models: components["schemas"]["ModelSummary"][];
        };
        ModelSummary: {
            modelId: string;
            /** @enum {string} */
            mediaType: "image" | "video" | "audio" | "text" | "file";
            /**
             * @description What the model answers with; a text and a JSON value are stored as one file.
             * @enum {string}
             */
            output: "single" | "list" | "object" | "text" | "json";
            description: string;
            /** @description null: the model has no price, and runs only for users who may run such models. */
            price: components["schemas"]["Price"] | null;
            /** @description Seconds, for the example. */
            estimatedTime: number;
            /** @description A request's parameters as they are. */
            example: {
                [key: string]: unknown;
            };
        };
        /** @description What one unit costs. Where it differs by a parameter, amounts has each, and amount is that of the default. */
        Price: {
            /** @enum {string} */
            unit: "run" | "image" | "output_second" | "gpu_second";
            /** @enum {string} */
            currency: "USD";
            /** @description US dollars for one unit. */
            amount: string;
            /** @description The parameter by which the amount differs. */
            by?: string;
            /** @description The amount for each value of that parameter. */
            amounts?: {
                [key: string]: string;
            };
        };
        Model: components["schemas"]["ModelSummary"] & {
            /** @description JSON Schema (draft 2020-12) of the parameters. */
            parameters: {
                [key: string]: unknown;
            };
        };
        /** @description As the provider's API describes it; what is read of it. */
        Prediction: {
            id: string;
            /** @enum {string} */
            status: "starting" | "processing" | "succeeded" | "failed" | "canceled" | "aborted";
        };
        WebhookResult: {
            result: string;
        };
        /** @description What went wrong (RFC 9457). Which of the other members a code brings is shown by its examples. */
        Problem: {
            /**
             * Format: uri-reference
             * @description The code's explanation, relative to the API's address.
             */
            type: string;
            /** @description What the code means; the same every time. */
            title: string;
            /** @description That of the answer. */
            status: number;
            /** @description Stable; the name to program against. */
            code: string;
            /** @description What happened this time, for a person. */
            detail: string;
            /** @description Every fault of the request, of InvalidRequest and InvalidParameters. */
            fields?: components["schemas"]["Fault"][];
            /** @description Seconds after which the request may succeed; rounded, the same as Retry-After. */
            retryAfter?: number;
            /** @description The limit that was reached: a number of jobs or bytes; of BudgetExceeded for a user's budget US dollars as text. */
            limit?: number | string;
            /** @description The job that it is about. */
            jobId?: string;
            /** @description Of KeyAlreadyCreated: the key that was made. */
            keyId?: string;
            /** @description Of ModelFrozen and UnpricedModel. */
            modelId?: string;
            /** @description API Gateway's id of the request, in its own answers. */
            requestId?: string;
            /** @description Of BudgetExceeded: which, such as user/day or stage/month. */
            budget?: string;
            /** @description Of BudgetExceeded for a user's budget, US dollars. */
            spent?: string;
            /** @description Of BudgetExceeded for a user's budget, US dollars. */
            held?: string;
            /** @description Of BudgetExceeded for a user's budget, US dollars. */
            left?: string | null;
            /** @description Of BudgetExceeded: what the job would hold, US dollars. */
            wouldHold?: string;
            /**
             * Format: date-time
             * @description Of BudgetExceeded: when the budget begins anew.
             */
            resetsAt?: string | null;
        };
        Fault: {
            /** @description Its path, such as modelId, parameters.width or the name of a header or query parameter. */
            field: string;
            /** @description What was expected, such as must be between 256 and 1536, not 9999. */
            message: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    generateMedia: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request, so that repeating it makes no second job: 1 to 255 printable ASCII characters. */
                "Idempotency-Key"?: string;
                /** @description How often the client has sent this request before. One that was sent before, without an Idempotency-Key, is the job of an equal request of the last ten minutes. */
                "x-stainless-retry-count"?: string;
                /** @description wait=N: answer with the finished job if it ends within N seconds (at most 25; without a number 25). */
                Prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerateRequest"];
            };
        };
        responses: {
            /** @description The client preferred to wait, and the job has ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobStatus"];
                };
            };
            /** @description The job is accepted; look at Location for its status. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
        };
    };
    getStatus: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
                /** @description Answer when the status has changed, or after so many seconds; at once, with Retry-After, when too many of the user's requests wait already. */
                wait?: number;
                /** @description Add the parameters the job was asked with. */
                include?: "parameters";
            };
            header?: {
                /** @description The ETag of an earlier answer. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobStatus"];
                };
            };
            /** @description Nothing has changed, and the addresses of the earlier answer still work for a while. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
                /** @description Jobs with this status alone. */
                status?: "pending" | "processing" | "storing" | "succeeded" | "failed" | "canceled";
                /** @description Jobs that make this alone. */
                mediaType?: "image" | "video" | "audio" | "text" | "file";
                /** @description A model of GET /models. */
                modelId?: string;
                /** @description This moment counts. */
                createdAfter?: string;
                /** @description This moment does not count. */
                createdBefore?: string;
                /** @description Jobs with this metadata: metadata[order]=17, any number of them. */
                metadata?: {
                    [key: string]: string;
                };
                /** @description Jobs whose prompt has these words, the last one perhaps not to its end; case does not matter. */
                q?: string;
                /** @description The most entries of a page. */
                limit?: number;
                /** @description nextCursor of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
        };
    };
    createJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request, so that repeating it makes no second job: 1 to 255 printable ASCII characters. */
                "Idempotency-Key"?: string;
                /** @description How often the client has sent this request before. One that was sent before, without an Idempotency-Key, is the job of an equal request of the last ten minutes. */
                "x-stainless-retry-count"?: string;
                /** @description wait=N: answer with the finished job if it ends within N seconds (at most 25; without a number 25). */
                Prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerateRequest"];
            };
        };
        responses: {
            /** @description The client preferred to wait, and the job has ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobStatus"];
                };
            };
            /** @description The job is accepted; look at Location for its status. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
        };
    };
    getJob: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
                /** @description Answer when the status has changed, or after so many seconds; at once, with Retry-After, when too many of the user's requests wait already. */
                wait?: number;
                /** @description Add the parameters the job was asked with. */
                include?: "parameters";
            };
            header?: {
                /** @description The ETag of an earlier answer. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobStatus"];
                };
            };
            /** @description Nothing has changed, and the addresses of the earlier answer still work for a while. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    deleteJob: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing is left, and every route answers 404 from now on. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getTimeline: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Segments without gaps that sum to wallTime. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
        };
    };
    listCallbacks: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The attempts, newest first, at most 100. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Callbacks"];
                };
            };
        };
    };
    replayCallback: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will be called in a moment. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
        };
    };
    getWebhookSecret: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Verify with it by Standard Webhooks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookSecret"];
                };
            };
        };
    };
    cancelJob: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The job. */
                jobId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job had ended already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canceled"];
                };
            };
            /** @description The job is being stopped. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Canceled"];
                };
            };
        };
    };
    createUpload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadRequest"];
            };
        };
        responses: {
            /** @description The form. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
        };
    };
    processWebhook: {
        parameters: {
            query?: {
                /** @description The job. */
                jobId?: string;
                /** @description Which submission of the job it is about; the service writes it into the address. */
                attempt?: string;
                /** @description How the output is read where it is no list of files; the service writes it into the address. */
                output?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Prediction"];
            };
        };
        responses: {
            /** @description Taken, or known already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookResult"];
                };
            };
        };
    };
    getOperations: {
        parameters: {
            query?: {
                /** @description How far to look back, in hours. */
                hours?: number;
                /** @description A user is refused, because this is about all users. */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The jobs created in this time; what runs, whenever it was created. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operations"];
                };
            };
        };
    };
    getBudget: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user's budgets, with a limit or without one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnBudgets"];
                };
            };
        };
    };
    getUsage: {
        parameters: {
            query?: {
                /** @description Whose things this is about; of another's there is nothing. With a token or a user's key it is always their user. */
                userId?: string;
                /** @description The first day; by default thirty days with the last one. */
                from?: string;
                /** @description The last day; by default today. */
                to?: string;
                /** @description What the lines tell apart: any of day, userId, modelId and mediaType, with commas between them. */
                by?: string;
                /** @description json, or csv for a table. */
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines, newest day first, then by what was spent. With format=csv the same as a table, without the total. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                    "text/csv": string;
                };
            };
        };
    };
    getBudgets: {
        parameters: {
            query?: {
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description A user id, or stage: the whole deployment. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The budgets. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budgets"];
                };
            };
        };
    };
    setBudget: {
        parameters: {
            query?: {
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description A user id, or stage: the whole deployment. */
                owner: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BudgetLimit"];
            };
        };
        responses: {
            /** @description The budgets after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budgets"];
                };
            };
        };
    };
    grantCredits: {
        parameters: {
            query?: {
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header: {
                /** @description Names the grant, so that repeating it adds nothing. */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credits"];
            };
        };
        responses: {
            /** @description What was granted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credits"];
                };
            };
        };
    };
    getLedger: {
        parameters: {
            query: {
                /** @description The job. */
                jobId: string;
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The movements, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ledger"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description Only the keys of this user. */
                owner?: string;
                /** @description The most entries of a page. */
                limit?: number;
                /** @description nextCursor of the page before. */
                cursor?: string;
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keys"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: {
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: {
                /** @description Names the key, so that repeating the request makes no second one. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description The key. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: {
                /** @description A user is refused, because this is for operators. */
                userId?: string;
            };
            header?: never;
            path: {
                /** @description The part of a key between its two underscores. */
                keyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every model in short. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
        };
    };
    getModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A model of GET /models. */
                modelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
        };
    };
    estimateJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A model of GET /models. */
                modelId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EstimateRequest"];
            };
        };
        responses: {
            /** @description The estimate. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Estimate"];
                };
            };
        };
    };
    sendMcpMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that client and server agreed on. */
                "MCP-Protocol-Version"?: "2024-11-05" | "2025-03-26" | "2025-06-18" | "2025-11-25" | "2026-07-28";
                /** @description Whose job it is, said by a back end that may speak for any user; with a token or a key of a user it is theirs. */
                "VSL-User"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["McpMessage"];
            };
        };
        responses: {
            /** @description The answer to a request, an error of the protocol included. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["McpAnswer"];
                };
            };
            /** @description A notification, taken note of. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    createImage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request, so that repeating it makes no second job: 1 to 255 printable ASCII characters. */
                "Idempotency-Key"?: string;
                /** @description How often OpenAI's clients have sent the request before. A repetition of the last ten minutes is the same job. */
                "x-stainless-retry-count"?: string;
                /** @description Whose job it is, said by a back end that may speak for any user; with a token or a key of a user it is theirs. */
                "VSL-User"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageGeneration"];
            };
        };
        responses: {
            /** @description The images. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GeneratedImages"];
                };
            };
        };
    };
    editImage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request, so that repeating it makes no second job: 1 to 255 printable ASCII characters. */
                "Idempotency-Key"?: string;
                /** @description How often OpenAI's clients have sent the request before. A repetition of the last ten minutes is the same job. */
                "x-stainless-retry-count"?: string;
                /** @description Whose job it is, said by a back end that may speak for any user; with a token or a key of a user it is theirs. */
                "VSL-User"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["ImageEdit"];
            };
        };
        responses: {
            /** @description The images. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GeneratedImages"];
                };
            };
        };
    };
    listOpenAIModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The models. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAIModelList"];
                };
            };
        };
    };
    getOpenAIModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A model of GET /openai/v1/models, by its id or an alias. */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAIModel"];
                };
            };
        };
    };
    getOpenapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The OpenAPI document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
}
