"""The scripts behind `slots`: a rate, and start-time fair queueing in front of it.

| key | holds |
|---|---|
| `{pacing}:state` | hash, see below |
| `{pacing}:queue` | sorted set: jobId by its start tag |
| `{pacing}:flows` | hash: flow by the finish tag of its last job |
| `{pacing}:grants` | sorted set: jobId by the moment (ms) at which its slot lapses |
| `{pacing}:tags` | hash: the start tags of jobs that were granted a slot out of the queue |

The state: `tat` when the next slot is due (ms), `v` the virtual time, `beat` until when a dispatcher runs
(ms); after a 429 `blocked` until (ms), `slow` the wait it asked for (ms), `since` the slots granted since.

The rate is a GCRA (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). After a 429 it begins at one
slot per wait that the provider asked for and doubles every second, until it is what it was or the next
429 comes: an account that takes one a moment is used up, and one that recovers is found out in seconds.

SFQ: Goyal, Vin, Cheng, "Start-time Fair Queuing" (1996): a job's start tag is the later of the virtual
time and the finish tag of the job before it in its flow; jobs are served by their start tags, and the
virtual time is the tag in service.

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

# ARGV: jobId, flow, its cost, how long a slot is kept (ms), how long a dispatcher that is called has to
# appear (ms; 0: the caller calls none). Answers granted, position, due in (ms), unwatched.
ASK = (
    _COMMON
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
    if depth == 0 then redis.call('DEL', flows, tags) end -- what was served before is forgotten
    local start = tonumber(redis.call('HGET', tags, job))
    if not start then
        start = math.max(v, tonumber(redis.call('HGET', flows, flow)) or 0)
        redis.call('HSET', flows, flow, start + cost)
    end
    redis.call('ZADD', queue, start, job)
end
local rank = redis.call('ZRANK', queue, job)
local unwatched = beat < now and 1 or 0
if unwatched == 1 and ARGV[8] ~= '0' then redis.call('HSET', state, 'beat', now + ARGV[8]) end
return {0, rank + 1, wait_of(rank), unwatched}
"""
)

# ARGV: how long a slot is kept (ms), until when the dispatcher runs (ms), how many at most. Answers due
# in (ms, -1 when no job waits), how many still wait, and the jobs.
NEXT = (
    _COMMON
    + """
redis.call('HSET', state, 'beat', ARGV[5])
local jobs = {0, 0}
while #jobs < ARGV[6] + 2 do
    if redis.call('ZCARD', queue) == 0 then
        -- Atomically: whoever asks after this finds nobody at work.
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
jobs[2] = redis.call('ZCARD', queue)
return jobs
"""
)

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

# ARGV: jobId, for how long (ms). Those that were on their way when the first of them was refused lengthen
# the wait no further than it ends.
THROTTLED = (
    _COMMON
    + """
redis.call('ZREM', grants, ARGV[4])
redis.call('HSETNX', tags, ARGV[4], v)
if now + tonumber(ARGV[5]) > blocked then
    redis.call('HSET', state, 'blocked', now + ARGV[5], 'slow', ARGV[5], 'since', 0)
end
return 1
"""
)

# ARGV: jobIds. Answers how many wait and for how long one that joined now would (ms); then for each job
# its position (0: not in the queue) and due in (ms).
LOOK = (
    _COMMON
    + """
local depth = redis.call('ZCARD', queue)
local answer = {depth, wait_of(depth)}
for at = 4, #ARGV do
    local rank = redis.call('ZRANK', queue, ARGV[at])
    answer[#answer + 1] = rank and rank + 1 or 0
    answer[#answer + 1] = rank and wait_of(rank) or 0
end
return answer
"""
)
