# Made by `make clients`.

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class McpMessage(TypedDict):
    jsonrpc: Literal['2.0']
    id: NotRequired[str | int]
    """Of a request; a notification has none."""

    method: str
    """Such as tools/call."""

    params: NotRequired[dict[str, Any]]


class Error(TypedDict):
    code: int
    message: str
    data: NotRequired[dict[str, Any]]


class McpAnswer(TypedDict):
    jsonrpc: Literal['2.0']
    id: NotRequired[str | int | None]
    """Of the request; null where there was none to be read."""

    result: NotRequired[dict[str, Any]]
    error: NotRequired[Error]


class ImageGeneration(TypedDict):
    """
    Members that are not OpenAI's are parameters of the model, by their public names.
    """

    model: str
    """A model of GET /openai/v1/models."""

    prompt: str
    """What the image shows."""

    n: NotRequired[int | None]
    """Images of this one request; no more than the model makes at a time."""

    size: NotRequired[str | None]
    """auto, or WIDTHxHEIGHT: the model's width and height, else its nearest aspect_ratio."""

    quality: NotRequired[str | None]
    """auto and standard leave it to the model; any other for a model that has a parameter of this name."""

    background: NotRequired[str | None]
    """auto leaves it to the model; any other for a model that has a parameter of this name."""

    moderation: NotRequired[str | None]
    """auto leaves it to the model; any other for a model that has a parameter of this name."""

    output_format: NotRequired[str | None]
    """For a model that can be told: png, jpeg or webp."""

    output_compression: NotRequired[int | None]
    """For a model with output_quality."""

    response_format: NotRequired[Literal['url', 'b64_json'] | None]
    """What an answer has; both, if it is left out."""

    user: NotRequired[str | None]
    """Kept as metadata of the job; whose job it is, the caller's identity says."""


class ImageEdit(TypedDict):
    model: str
    """A model of GET /openai/v1/models."""

    prompt: str
    """What the image shows."""

    n: NotRequired[int]
    """Images of this one request; no more than the model makes at a time."""

    size: NotRequired[str]
    """auto, or WIDTHxHEIGHT: the model's width and height, else its nearest aspect_ratio."""

    quality: NotRequired[str]
    """auto and standard leave it to the model; any other for a model that has a parameter of this name."""

    background: NotRequired[str]
    """auto leaves it to the model; any other for a model that has a parameter of this name."""

    moderation: NotRequired[str]
    """auto leaves it to the model; any other for a model that has a parameter of this name."""

    output_format: NotRequired[str]
    """For a model that can be told: png, jpeg or webp."""

    output_compression: NotRequired[int]
    """For a model with output_quality."""

    response_format: NotRequired[Literal['url', 'b64_json']]
    """What an answer has; both, if it is left out."""

    user: NotRequired[str]
    """Kept as metadata of the job; whose job it is, the caller's identity says."""

    image: bytes
    """PNG, JPEG, WebP or GIF; several as image[], for a model that takes several."""

    mask: NotRequired[bytes]
    """For a model that takes one."""


class Datum(TypedDict):
    url: NotRequired[str]
    """Signed, for as long as SignedUrlSeconds says."""

    b64_json: NotRequired[str]
    """The file in base64."""


class GeneratedImages(TypedDict):
    created: int
    """Seconds since 1970."""

    data: list[Datum]


class OpenAIModel(TypedDict):
    id: str
    object: Literal['model']
    created: int
    """Seconds since 1970: when the entry was read from the provider, 0 where that is not known."""

    owned_by: str


class OpenAIModelList(TypedDict):
    object: Literal['list']
    data: list[OpenAIModel]


class Error1(TypedDict):
    message: str
    type: str
    """OpenAI's kind of error."""

    param: str | None
    """The member at fault."""

    code: str | None
    """OpenAI's code where it has one, else ours."""


class OpenAIError(TypedDict):
    error: Error1


class GenerateRequest(TypedDict):
    userId: NotRequired[str]
    """Whose job it is; limits and listings go by it. Required of a trusted back end; with a token or a user's key it is their user."""

    mediaType: NotRequired[Literal['image', 'video', 'audio', 'text', 'file']]
    modelId: str
    """A model of GET /models."""

    parameters: NotRequired[dict[str, Any]]
    """The model's parameters by their public names, each of any JSON type; GET /models/{modelId} has their schema."""

    prompt: NotRequired[str]
    """Short for parameters.prompt."""

    metadata: NotRequired[dict[str, str]]
    """The caller's own words about the job: keys of 1 to 40 letters, digits or _ . : -, values of text, at most 2,048 bytes as JSON. GET /jobs finds jobs by them."""

    callbackUrl: NotRequired[str]
    """Where to POST the job's status when it ends, signed by Standard Webhooks; https and public, http on the local stack alone."""

    callbackEvents: NotRequired[list[Literal['started', 'ended']]]
    """What callbackUrl is called for; by default the end alone. started: the provider has taken the prediction."""

    priority: NotRequired[Literal['interactive', 'batch']]
    """Which of a user's jobs go first while the provider takes no more (interactive, if it is left out): a batch has an eighth of the share of what a person waits for."""


class EstimateRequest(TypedDict):
    userId: NotRequired[str | None]
    """Whose budgets are asked; with Cognito the token's subject."""

    parameters: NotRequired[dict[str, Any]]
    """The model's parameters by their public names, each of any JSON type; GET /models/{modelId} has their schema."""

    prompt: NotRequired[str]
    """Short for parameters.prompt."""

    priority: NotRequired[Literal['interactive', 'batch']]
    """Of the job whose wait is estimated; interactive, unless it is told."""


class RefusedBy(TypedDict):
    """
    The budget without room, the model that takes no jobs, or the one without a price. Of the deployment's own budget no amounts are told.
    """

    of: Literal['user', 'stage', 'model', 'unpriced']
    modelId: NotRequired[str]
    userId: NotRequired[str]
    period: NotRequired[Literal['day', 'month', 'total', 'credit']]
    limit: NotRequired[str | None]
    spent: NotRequired[str]
    held: NotRequired[str]
    left: NotRequired[str | None]
    resetsAt: NotRequired[str | None]


class Estimate(TypedDict):
    modelId: str
    mediaType: Literal['image', 'video', 'audio', 'text', 'file']
    estimatedCost: str | None
    """US dollars; null for a model without a price."""

    estimatedTime: float
    """Seconds."""

    wouldHold: str
    """US dollars: the most that the job may cost, held of the budgets while it runs."""

    admitted: bool | None
    """Whether the budgets have room for it now; null without a user, and while PostgreSQL is away."""

    refusedBy: RefusedBy | None
    """The budget without room, the model that takes no jobs, or the one without a price. Of the deployment's own budget no amounts are told."""

    queuePosition: int | None
    """Where a job submitted now would stand in the queue for the provider. 0: it would start at once; null: not known (Redis is away)."""

    estimatedStart: str | None
    """When its turn should come, as the queue moves now; null where queuePosition is."""

    estimatedStartEarliest: str | None
    """With estimatedStartLatest the bounds between which four of five jobs start."""

    estimatedStartLatest: str | None
    """The later of these bounds."""

    parameters: dict[str, Any]
    """With the defaults filled in."""


class UploadRequest(TypedDict):
    userId: NotRequired[str]
    """Whose file it is; with Cognito the token's subject."""

    contentType: Literal['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'audio/wav', 'audio/mpeg', 'audio/ogg', 'audio/flac', 'audio/mp4', 'video/mp4', 'video/webm']
    fileName: NotRequired[str | None]
    """For people, without a path."""

    size: NotRequired[int | None]
    """Bytes. If given, S3 takes a file of exactly this size."""


class Upload(TypedDict):
    uploadId: str
    handle: str
    """Give it as an image or audio parameter: upload:{uploadId}."""

    url: str
    fields: dict[str, str]
    """Send all of them before the file."""

    expiresAt: str
    """Until then S3 takes the file."""

    maxBytes: int


class Accepted(TypedDict):
    jobId: str
    status: Literal['pending', 'processing', 'storing', 'succeeded', 'failed', 'canceled']
    """pending, unless the request is a repetition or has waited."""

    estimatedTime: float
    """Seconds."""

    estimatedCost: str | None
    """US dollars; null for a model without a price."""

    replicateId: str | None
    """Known a moment after acceptance."""

    queuePosition: int | None
    """Where the job will stand in the queue for the provider, as it was when the job was admitted. 0: there was a slot for it; null: not known, or the job is at work already (a repeated request)."""

    estimatedStart: str | None
    """When its turn should come, as the queue moves now; null where queuePosition is."""

    estimatedStartEarliest: str | None
    """With estimatedStartLatest the bounds between which four of five jobs start."""

    estimatedStartLatest: str | None
    statusUrl: str


class Canceled(TypedDict):
    jobId: str
    status: Literal['pending', 'processing', 'storing', 'succeeded', 'failed', 'canceled']
    cancelRequested: bool


class CallbackAttempt(TypedDict):
    deliveryId: str
    """end, start, or the id of a replay."""

    attempt: int
    """From 1 to 8."""

    at: str
    outcome: Literal['delivered', 'failed', 'exhausted', 'gone']
    statusCode: int | None
    error: str | None
    """Why there was no answer."""

    response: str | None
    """What the client answered, its first 1,024 bytes."""

    durationMs: int
    nextAttemptAt: str | None


class Replay(TypedDict):
    jobId: str
    deliveryId: str


class WebhookSecret(TypedDict):
    userId: str
    secret: str
    """whsec_ and base64."""

    previous: list[str]
    """Sign as well while the deployment's secret is rotated."""


class Jobs(TypedDict):
    """
    Ended ones were created in this time; pending, processing and storing is whatever runs now.
    """

    pending: int
    processing: int
    storing: int
    succeeded: int
    failed: int
    canceled: int


class Orphaned(TypedDict):
    predictions: int
    """Predictions that no job had a use for."""

    cost: str
    """US dollars, as far as it is known."""


class Failure(TypedDict):
    code: str
    jobs: int


class OldestWaiting(TypedDict):
    """
    The job that waits longest for its prediction's end.
    """

    jobId: str
    since: str
    seconds: float


class Api(TypedDict):
    """
    Requests of all callers to the API, as API Gateway counts them; null while CloudWatch does not answer.
    """

    requests: int
    refused: int
    """Answered with a 4xx, of API Gateway's own too."""

    faults: int
    """Answered with a 5xx."""


class Alarm(TypedDict):
    name: str
    """Without the stage."""

    state: Literal['OK', 'ALARM', 'INSUFFICIENT_DATA']
    description: str
    runbook: str | None
    """What to do about it."""


class ByHourItem(TypedDict):
    hour: str
    succeeded: int
    failed: int
    canceled: int
    spend: str


class Budget(TypedDict):
    of: Literal['user', 'stage']
    userId: NotRequired[str]
    period: Literal['day', 'month', 'total', 'credit']
    """total never ends; credit is what was granted in advance."""

    limit: str | None
    """null: there is none. 0: no jobs."""

    spent: str
    """By jobs of this period that are settled."""

    held: str
    """For jobs of this period that are not settled yet."""

    left: str | None
    resetsAt: str | None
    own: bool
    """The limit is the owner's own, not the deployment's default."""


class OwnBudgets(TypedDict):
    userId: str
    budgets: list[Budget]
    canStart: bool
    """Whether there is any room, in the whole deployment's budgets, too."""


class Budgets(TypedDict):
    of: Literal['user', 'stage']
    userId: NotRequired[str]
    budgets: list[Budget]
    canStart: bool
    """Whether there is any room in these budgets."""


class BudgetLimit(TypedDict):
    period: Literal['day', 'month', 'total']
    limit: str | None
    """US dollars, such as 0.021; null: the default."""


class Credits(TypedDict):
    userId: str
    amount: str
    """US dollars, such as 12.50; more than 0."""


class UsageLine(TypedDict):
    day: NotRequired[str]
    userId: NotRequired[str]
    modelId: NotRequired[str]
    mediaType: NotRequired[Literal['image', 'video', 'audio', 'text', 'file']]
    jobs: int
    succeeded: int
    spent: str
    """What users paid."""

    held: str
    """Not spent yet."""

    stage: str
    """What the deployment paid beyond that."""


class NewKey(TypedDict):
    userId: NotRequired[str]
    """Whose key it is; without it is an operator's."""

    project: NotRequired[str]
    """What the key is for."""

    expiresAt: NotRequired[str]
    """Until when it is good; without an end it is good until it is revoked."""

    expiresIn: NotRequired[int]
    """The same in seconds from now; not together with expiresAt."""

    dedupeSeconds: NotRequired[int]
    """For how many seconds equal requests by this key without an Idempotency-Key are one; 0, as without it: never."""


class Key(TypedDict):
    keyId: str
    """The part of the key that is no secret."""

    userId: str | None
    """Whose key it is; null for an operator's."""

    project: str | None
    """What the key is for."""

    status: Literal['active', 'expired', 'revoked']
    createdAt: str
    expiresAt: str | None
    revokedAt: str | None
    dedupeSeconds: int
    """For how many seconds equal requests are one; 0: never."""


class CreatedKey(TypedDict):
    keyId: str
    """The part of the key that is no secret."""

    userId: str | None
    """Whose key it is; null for an operator's."""

    project: str | None
    """What the key is for."""

    status: Literal['active', 'expired', 'revoked']
    createdAt: str
    expiresAt: str | None
    revokedAt: str | None
    dedupeSeconds: int
    """For how many seconds equal requests are one; 0: never."""

    key: str
    """The whole key, sent as Authorization: Bearer or as x-api-key; nothing tells it again."""


class Keys(TypedDict):
    keys: list[Key]
    nextCursor: str | None


Movement = TypedDict(
    'Movement',
    {
        'entry': int,
        'movement': Literal['hold', 'charge', 'release', 'overrun', 'orphan', 'grant', 'correction', 'late'],
        'subject': str,
        'jobId': str | None,
        'from': str,
        'to': str,
        'amount': str,
        'at': str,
    },
)


class Percentiles(TypedDict):
    p50: float
    p95: float
    p99: float


class ModelOperations(TypedDict):
    modelId: str
    mediaType: Literal['image', 'video', 'audio', 'text', 'file']
    succeeded: int
    failed: int
    canceled: int
    running: int
    successRate: float | None
    latency: Percentiles | None
    spend: str
    estimated: str


class Segment(TypedDict):
    name: Literal['validate', 'rate_limit', 'start', 'slot', 'retry', 'submit', 'queue', 'run', 'notify', 'wake', 'store', 'finalize']
    start: str
    end: str
    seconds: float
    actor: str
    detail: dict[str, Any]
    """What is known of it; not meant for programs."""


class JobEvent(TypedDict):
    name: str
    at: str
    source: str
    detail: dict[str, Any]
    """What is known of it; not meant for programs."""


class Output(TypedDict):
    originalUrl: str
    """Readable for at least half of SignedUrlSeconds."""

    thumbnailUrl: str | None
    s3Path: str
    contentType: str
    """By the file itself. What is not media, a text included, is served as an attachment of type application/octet-stream."""

    fileSize: int
    """Bytes."""

    sha256: str
    width: int | None
    """Pixels."""

    height: int | None
    """Pixels."""

    duration: float | None
    """Seconds."""

    fps: float | None
    codec: str | None


class Price(TypedDict):
    """
    What one unit costs. Where it differs by a parameter, amounts has each, and amount is that of the default.
    """

    unit: Literal['run', 'image', 'output_second', 'gpu_second']
    currency: Literal['USD']
    amount: str
    """US dollars for one unit."""

    by: NotRequired[str]
    """The parameter by which the amount differs."""

    amounts: NotRequired[dict[str, str]]
    """The amount for each value of that parameter."""


class Prediction(TypedDict):
    """
    As the provider's API describes it; what is read of it.
    """

    id: str
    status: Literal['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted']


class WebhookResult(TypedDict):
    result: str


class Fault(TypedDict):
    field: str
    """Its path, such as modelId, parameters.width or the name of a header or query parameter."""

    message: str
    """What was expected, such as must be between 256 and 1536, not 9999."""


class JobStatus(TypedDict):
    jobId: str
    userId: str
    """Whose job it is; in a callback also whose secret signed it."""

    status: Literal['pending', 'processing', 'storing', 'succeeded', 'failed', 'canceled']
    mediaType: Literal['image', 'video', 'audio', 'text', 'file']
    modelId: str
    prompt: str | None
    """Of the parameters; null: there is none, or PostgreSQL is away."""

    metadata: dict[str, str] | None
    """As the caller gave it; null while PostgreSQL is away."""

    createdAt: str
    updatedAt: str
    completedAt: str | None
    estimatedTime: float
    """Seconds."""

    estimatedCost: str | None
    """US dollars; null for a model without a price."""

    actualCost: str | None
    """US dollars."""

    heldCost: str | None
    """US dollars: the most that the job may cost, held of the budgets while it runs."""

    replicateId: str | None
    progress: float | None
    queuePosition: int | None
    """While the job is queued for the provider; null otherwise, and while Redis is away."""

    estimatedStart: str | None
    """When its turn should come, as the queue moves now; null where queuePosition is."""

    estimatedStartEarliest: str | None
    """With estimatedStartLatest the bounds between which four of five jobs start."""

    estimatedStartLatest: str | None
    result: Output | None
    """The first of outputs."""

    outputs: list[Output]
    error: str | None
    """Why the job did not succeed, for a person."""

    errorCode: str | None
    """Stable; the name to program against."""

    errorDetail: str | None
    """What the provider itself said of the error, at most 2,000 characters."""

    logs: str | None
    """The end of the model's log, at most 2,000 characters."""

    parameters: NotRequired[dict[str, Any] | None]
    """With include=parameters."""


class JobList(TypedDict):
    jobs: list[JobStatus]
    nextCursor: str | None
    """Give it as cursor for the next page."""


class Timeline(TypedDict):
    jobId: str
    status: Literal['pending', 'processing', 'storing', 'succeeded', 'failed', 'canceled']
    createdAt: str
    completedAt: str | None
    wallTime: float
    """Seconds, to the end or until now."""

    wokenBy: str | None
    """Who told that the prediction had ended, such as webhook or poller."""

    retries: int
    """Submissions after the first one."""

    estimatedCost: str | None
    """US dollars; null for a model without a price."""

    heldCost: str | None
    """US dollars held of the budgets: until the job's cost is known, which may be after its end."""

    actualCost: str | None
    """US dollars."""

    executionUrl: NotRequired[str | None]
    """The execution in the console of Step Functions; left out with a user's token."""

    segments: list[Segment]
    events: list[JobEvent]


class Callbacks(TypedDict):
    jobId: str
    callbackUrl: str | None
    attempts: list[CallbackAttempt]


class Phases(TypedDict):
    queue: Percentiles | None
    run: Percentiles | None
    notify: Percentiles | None
    store: Percentiles | None


class Latency(TypedDict):
    """
    Succeeded jobs' seconds, from the request to the end and by phase.
    """

    p50: float | None
    p95: float | None
    p99: float | None
    phases: Phases


class Spend(TypedDict):
    """
    US dollars.
    """

    total: str
    """What is known to have been paid."""

    estimated: str
    byModel: list[ModelOperations]


class Operations(TypedDict):
    since: str
    until: str
    jobs: Jobs
    """Ended ones were created in this time; pending, processing and storing is whatever runs now."""

    successRate: float | None
    """Of the jobs that succeeded or failed, 0 to 1."""

    latency: Latency
    """Succeeded jobs' seconds, from the request to the end and by phase."""

    spend: Spend
    """US dollars."""

    orphaned: Orphaned
    failures: list[Failure]
    wokenBy: dict[str, int]
    """Who told first that the prediction had ended, and how often."""

    oldestWaiting: OldestWaiting | None
    """The job that waits longest for its prediction's end."""

    queued: int
    """Jobs that wait for a turn at the provider; 0 while Redis is away."""

    api: Api | None
    """Requests of all callers to the API, as API Gateway counts them; null while CloudWatch does not answer."""

    alarms: list[Alarm] | None
    """The deployment's alarms, by name; null while CloudWatch does not answer."""

    byHour: list[ByHourItem]
    """One entry for each hour of the clock, also where nothing was; the oldest first."""


Usage = TypedDict(
    'Usage',
    {
        'from': str,
        'to': str,
        'by': list[Literal['day', 'userId', 'modelId', 'mediaType']],
        'userId': str | None,
        'lines': list[UsageLine],
        'total': UsageLine,
    },
)


class Ledger(TypedDict):
    jobId: str
    movements: list[Movement]


class ModelSummary(TypedDict):
    modelId: str
    mediaType: Literal['image', 'video', 'audio', 'text', 'file']
    output: Literal['single', 'list', 'object', 'text', 'json']
    """What the model answers with; a text and a JSON value are stored as one file."""

    description: str
    price: Price | None
    """null: the model has no price, and runs only for users who may run such models."""

    estimatedTime: float
    """Seconds, for the example."""

    example: dict[str, Any]
    """A request's parameters as they are."""


class Model(ModelSummary):
    parameters: dict[str, Any]
    """JSON Schema (draft 2020-12) of the parameters."""


class Problem(TypedDict):
    """
    What went wrong (RFC 9457). Which of the other members a code brings is shown by its examples.
    """

    type: str
    """The code's explanation, relative to the API's address."""

    title: str
    """What the code means; the same every time."""

    status: int
    """That of the answer."""

    code: str
    """Stable; the name to program against."""

    detail: str
    """What happened this time, for a person."""

    fields: NotRequired[list[Fault]]
    """Every fault of the request, of InvalidRequest and InvalidParameters."""

    retryAfter: NotRequired[float]
    """Seconds after which the request may succeed; rounded, the same as Retry-After."""

    limit: NotRequired[int | str]
    """The limit that was reached: a number of jobs or bytes; of BudgetExceeded for a user's budget US dollars as text."""

    jobId: NotRequired[str]
    """The job that it is about."""

    keyId: NotRequired[str]
    """Of KeyAlreadyCreated: the key that was made."""

    modelId: NotRequired[str]
    """Of ModelFrozen and UnpricedModel."""

    requestId: NotRequired[str]
    """API Gateway's id of the request, in its own answers."""

    budget: NotRequired[str]
    """Of BudgetExceeded: which, such as user/day or stage/month."""

    spent: NotRequired[str]
    """Of BudgetExceeded for a user's budget, US dollars."""

    held: NotRequired[str]
    """Of BudgetExceeded for a user's budget, US dollars."""

    left: NotRequired[str | None]
    """Of BudgetExceeded for a user's budget, US dollars."""

    wouldHold: NotRequired[str]
    """Of BudgetExceeded: what the job would hold, US dollars."""

    resetsAt: NotRequired[str | None]
    """Of BudgetExceeded: when the budget begins anew."""


class ModelList(TypedDict):
    models: list[ModelSummary]
