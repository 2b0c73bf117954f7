"""The scripts behind `slots`: a rate, and start-time fair queueing in front of it.

| key | holds |
|---|---|
| `{pacing}:state` | hash, see below |
| `{pacing}:queue` | sorted set: jobId by its start tag |
| `{pacing}:flows` | hash: flow by the finish tag of its last job |
| `{pacing}:grants` | sorted set: jobId by the moment (ms) at which its slot lapses |
| `{pacing}:tags` | hash: the start tags of jobs that were granted a slot out of the queue |

The state: `tat` when the next slot is due (ms), `v` the virtual time, `beat` until when a dispatcher runs
(ms); after a 429 `blocked` until (ms), `slow` the wait it asked for (ms), `since` the slots granted since;
`busy` since when jobs wait (ms), `served` how many left the queue and `passed` how many joined in front of
others, both with the weight of the last minute and as of `at` (ms); `marked`: no job is missing (a server
that was emptied has no mark).

The rate is a GCRA (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). After a 429 it begins at one
slot per wait that the provider asked for and doubles every second, until it is what it was or the next
429 comes: an account that takes one a moment is used up, and one that recovers is found out in seconds.

SFQ: Goyal, Vin, Cheng, "Start-time Fair Queuing" (1996): a job's start tag is the later of the virtual
time and the finish tag of the job before it in its flow; jobs are served by their start tags, and the
virtual time is the tag in service.

An estimate has three figures. `due in` is at the rate of now. At the earliest is at the parameter's rate,
from the moment at which it can be in force again, less a twentieth for jobs that are canceled. At the latest
is as slowly as the queue moved in the last minute, with a quarter for jobs that come and go in front; no more
than twice `due in`.

Every script gets KEYS state, queue, flows, grants, tags and ARGV now (ms), slots a minute, burst.
"""

_COMMON = """
local state, queue, flows, grants, tags = unpack(KEYS)
local now, interval, burst = tonumber(ARGV[1]), 60000 / ARGV[2], tonumber(ARGV[3])
local known = redis.call('HMGET', state, 'tat', 'v', 'beat', 'blocked', 'slow', 'since')
local tat, v, beat = tonumber(known[1]) or 0, tonumber(known[2]) or 0, tonumber(known[3]) or 0
local blocked, slow = tonumber(known[4]) or 0, tonumber(known[5]) or 0
local since = tonumber(known[6]) or 0
local log2 = math.log(2)
if slow > 0 and now - blocked >= 1000 * math.log(math.max(slow / interval, 1)) / log2 then
    slow = 0 -- as fast as before
    tat = math.max(tat, now)
    redis.call('HDEL', state, 'blocked', 'slow', 'since')
end
local function due()
    if slow == 0 then return math.max(tat - (burst - 1) * interval - now, 0) end
    local next = 1000 * math.log(1 + since * log2 * slow / 1000) / log2
    return math.max(blocked + next - now, 0)
end
local function grant()
    tat, since = math.max(tat, now) + interval, since + 1
    redis.call('HSET', state, 'tat', tat)
    if slow > 0 then redis.call('HSET', state, 'since', since) end
end
local function wait_of(rank) return math.floor(due() + rank * math.max(interval, slow)) end
"""

# Counting how the queue moves, for those scripts that move it or tell of it.
_MOVING = """
local moves = redis.call('HMGET', state, 'busy', 'served', 'passed', 'at')
local busy, at = tonumber(moves[1]) or now, tonumber(moves[4]) or now
local fading = math.exp((at - now) / 60000)
local served, passed = (tonumber(moves[2]) or 0) * fading, (tonumber(moves[3]) or 0) * fading
local function moved(out, ahead)
    served, passed = math.max(served + out, 0), passed + ahead
    redis.call('HSET', state, 'busy', busy, 'served', served, 'passed', passed, 'at', now)
end
"""

# The estimate for a place: due in, at the earliest, at the latest (ms).
_ESTIMATE = (
    _MOVING
    + """
local full = slow > 0 and math.max(blocked + 1000 * math.log(math.max(slow / interval, 1)) / log2 - now, 0)
local pace = math.max(interval, slow)
local seen = 60000 * (1 - math.exp((busy - now) / 60000))
local observed = 2 * pace
if seen < 10000 then
    observed = pace
elseif served - passed > 0 then
    observed = math.min(math.max(seen / (served - passed), pace), observed)
end
local function estimate(rank)
    local wait = due() + rank * pace
    local earliest = math.min(wait, (full or due()) + 0.95 * rank * interval)
    local latest = due() + math.min(1.25 * observed, 2 * pace) * rank + 1000
    return math.floor(wait), math.floor(earliest), math.ceil(latest)
end
"""
)

# ARGV: jobId, flow, its cost, how long a slot is kept (ms), how long a dispatcher that is called has to
# appear (ms; 0: the caller calls none). Answers granted, position, due in (ms), unwatched.
ASK = (
    _COMMON
    + _MOVING
    + """
local job, flow, cost = ARGV[4], ARGV[5], tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', grants, '-inf', now)
if redis.call('ZSCORE', grants, job) then return {1, 0, 0, 0} end
local depth = redis.call('ZCARD', queue)
if depth == 0 and due() == 0 then
    grant()
    redis.call('ZADD', grants, now + ARGV[7], job)
    return {1, 0, 0, 0}
end
if not redis.call('ZSCORE', queue, job) then
    if depth == 0 then
        redis.call('DEL', flows, tags) -- what was served before is forgotten
        busy, served, passed = now, 0, 0
    end
    local fresh, start = 0, tonumber(redis.call('HGET', tags, job))
    if not start then
        start = math.max(v, tonumber(redis.call('HGET', flows, flow)) or 0)
        redis.call('HSET', flows, flow, start + cost)
        fresh = 1
    end
    redis.call('ZADD', queue, start, job)
    local ahead = redis.call('ZRANK', queue, job) < depth and fresh or 0
    moved(0, ahead)
end
local rank = redis.call('ZRANK', queue, job)
local unwatched = beat < now and 1 or 0
if unwatched == 1 and ARGV[8] ~= '0' then redis.call('HSET', state, 'beat', now + ARGV[8]) end
return {0, rank + 1, wait_of(rank), unwatched}
"""
)

# ARGV: how long a slot is kept (ms), until when the dispatcher runs (ms), how many at most. Answers due
# in (ms, -1 when no job waits), how many still wait, whether the mark is there, and the jobs.
NEXT = (
    _COMMON
    + _MOVING
    + """
redis.call('HSET', state, 'beat', ARGV[5])
local jobs = {0, 0, redis.call('HEXISTS', state, 'marked')}
while #jobs < ARGV[6] + 3 do
    if redis.call('ZCARD', queue) == 0 then
        -- Atomically: a later caller sees that no dispatcher runs.
        redis.call('HDEL', state, 'beat')
        jobs[1] = -1
        break
    end
    if due() > 0 then
        jobs[1] = math.ceil(due())
        break
    end
    local popped = redis.call('ZPOPMIN', queue)
    v = math.max(v, tonumber(popped[2]))
    redis.call('HSET', state, 'v', v)
    grant()
    redis.call('HSET', tags, popped[1], popped[2])
    redis.call('ZADD', grants, now + ARGV[4], popped[1])
    jobs[#jobs + 1] = popped[1]
end
if #jobs > 3 then moved(#jobs - 3, 0) end
jobs[2] = redis.call('ZCARD', queue)
return jobs
"""
)

# Every job that waits is in the queue.
MARK = _COMMON + "return redis.call('HSET', state, 'marked', 1)"

# ARGV: jobId. A slot that was granted and is not needed is free again.
GIVE_BACK = (
    _COMMON
    + """
redis.call('ZREM', queue, ARGV[4])
redis.call('HDEL', tags, ARGV[4])
if redis.call('ZREM', grants, ARGV[4]) == 1 then
    redis.call('HSET', state, 'tat', tat - interval)
    if slow > 0 then redis.call('HSET', state, 'since', math.max(since - 1, 0)) end
end
return 1
"""
)

# ARGV: jobId. The slot that it was granted is used up; its place is still that of before.
SPEND = _COMMON + "return redis.call('ZREM', grants, ARGV[4])"

# ARGV: jobId, for how long (ms). Those that were on their way when the first of them was refused lengthen
# the wait no further than it ends.
THROTTLED = (
    _COMMON
    + _MOVING
    + """
redis.call('ZREM', grants, ARGV[4])
if redis.call('HEXISTS', tags, ARGV[4]) == 1 then moved(-1, 0) end
redis.call('HSETNX', tags, ARGV[4], v)
if now + tonumber(ARGV[5]) > blocked then
    redis.call('HSET', state, 'blocked', now + ARGV[5], 'slow', ARGV[5], 'since', 0)
end
return 1
"""
)

# ARGV: jobIds. Answers for each its position (0: not in the queue) and its estimate.
LOOK = (
    _COMMON
    + _ESTIMATE
    + """
local answer = {}
for each = 4, #ARGV do
    local rank = redis.call('ZRANK', queue, ARGV[each])
    answer[#answer + 1] = rank and rank + 1 or 0
    local wait, earliest, latest = estimate(rank or 0)
    answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = wait, earliest, latest
end
return answer
"""
)

# ARGV: a flow. Answers how many jobs wait; what those of the flow cost together, in thousandths; the position
# and the estimate of one more job of the flow, if it joined now (position 0: it would start at once).
OUTLOOK = (
    _COMMON
    + _ESTIMATE
    + """
local depth = redis.call('ZCARD', queue)
if depth == 0 and due() == 0 then return {0, 0, 0, 0, 0, 0} end
local start = math.max(v, tonumber(redis.call('HGET', flows, ARGV[4])) or 0)
if depth == 0 then start = v end
local rank = redis.call('ZCOUNT', queue, '-inf', start)
return {depth, math.floor((start - v) * 1000), rank + 1, estimate(rank)}
"""
)
