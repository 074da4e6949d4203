/**
 * The scripts that run on the server, each of them one atomic step.
 *
 * Every script can be repeated: an owner that is unique to one attempt to take
 * the lock says whose step it is, and a step already done is not done twice.
 * Every answer begins with the stamp that came with the call, so that an answer
 * which comes late, or out of order, is known for what it is.
 *
 * The keys of a lock, all in one hash slot:
 *
 * 1. the lock itself: a string of JSON, there while the lock is held;
 * 2. `…:fence`: the last fencing token, kept for a day after it was given;
 * 3. `…:queue`: the waiters, a sorted set of owners by their tickets;
 * 4. `…:waiters`: a hash from owner to what is needed to serve them.
 *
 * @module
 */
import { runtime } from "../../runtime/mod.ts";

/** A script for the server. */
export interface Script {
  /** Its text, in Lua. */
  readonly text: string;
  /** The SHA-1 by which a server that has seen it knows it. */
  readonly sha1: string;
}

// The server's clock decides when a lease or a place in the queue ends; nobody
// else's clock is compared with it.
const CLOCK = `
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
`;

const OWNED = `
local function owned(held, owner)
  return held and string.find(held, '"token":"' .. owner .. '"', 1, true)
end
`;

// The token grows with the server's clock, so that a server which has lost its
// memory goes on with greater ones; and it grows by one where that clock was
// set back. The key outlives any such step of up to a day.
const HOLD = `
local function next_fence()
  local last = tonumber(redis.call('GET', KEYS[2]) or 0)
  if last < micros then
    local fence = string.format('%.0f', micros)
    redis.call('SET', KEYS[2], fence, 'PX', 86400000)
    return fence
  end
  redis.call('INCR', KEYS[2])
  redis.call('PEXPIRE', KEYS[2], 86400000)
  return redis.call('GET', KEYS[2])
end

local function set_fence(fence)
  -- A server out of memory refuses to set a key, unless this comes first.
  redis.call('PEXPIRE', KEYS[2], 86400000)
  redis.call('SET', KEYS[2], fence, 'PX', 86400000)
end

local function seconds(ms)
  return string.format('%.3f', ms / 1000)
end

local function hold(owner, ttl, who, fence)
  redis.call('SET', KEYS[1], '{"token":"' .. owner .. '",' .. who ..
    ',"acquired":' .. seconds(now) .. ',"expiry":' .. seconds(now + ttl) ..
    ',"fence":' .. fence .. '}', 'PX', ttl)
  return fence
end
`;

// What is kept of a waiter: until when it counts as alive, its time to live,
// whether it can be told dead by its channel having no listener, the channel,
// the stamp of its last refresh, and who it is.
const QUEUE = `
local function drop(owner)
  redis.call('ZREM', KEYS[3], owner)
  redis.call('HDEL', KEYS[4], owner)
end

local function waiter(owner)
  local record = redis.call('HGET', KEYS[4], owner)
  if not record then return nil end
  local deadline, ttl, counted, channel, stamp, who =
    string.match(record, '^(%d+) (%d+) (%d) (%S+) (%S+) (.*)$')
  -- It may be of somebody else's making.
  if not deadline or tonumber(deadline) <= now then return nil end
  return {ttl = ttl, counted = counted == '1', channel = channel,
    stamp = stamp, who = who}
end

local function told(found, message)
  return redis.call('PUBLISH', found.channel, message) > 0 or not found.counted
end

-- Gives the lock to the first live waiter; those before it are dead, and go.
local function hand_over(caller)
  while true do
    local owner = redis.call('ZPOPMIN', KEYS[3])[1]
    if not owner then return nil end
    local found = waiter(owner)
    redis.call('HDEL', KEYS[4], owner)
    if found then
      local fence = next_fence()
      if owner == caller or told(found, owner .. ' ' .. fence .. ' ' .. found.stamp) then
        hold(owner, found.ttl, found.who, fence)
        return owner, fence
      end
    end
  end
end

-- Tells the first live waiter that the lock is free, for it to try.
local function wake_first()
  while true do
    local owner = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
    if not owner then return end
    local found = waiter(owner)
    if found and told(found, owner .. ' free') then return end
    drop(owner)
  end
end
`;

/**
 * Takes the lock, or says who has it; waits in the queue if a channel is given.
 *
 * - Arguments: stamp, owner, time to live in ms, who (part of a JSON object),
 *   order (`fifo`: a free lock goes to the first waiter; `any`: to whoever
 *   asks); and to wait: channel, for how many ms the place counts as alive,
 *   whether listeners can be counted (`1` or `0`), ticket or nothing.
 * - Answers: stamp, `granted`, fencing token; stamp, `held`, the lock's JSON;
 *   stamp, `waiting`, the lock's JSON, its time to live in ms, how many wait
 *   before, ticket.
 */
export const ACQUIRE: Script = script(`
${CLOCK}${HOLD}
local stamp, owner, ttl, who, order = unpack(ARGV, 1, 5)
local held = redis.call('GET', KEYS[1])
-- The usual case, before what only the others need is made.
if not held and redis.call('EXISTS', KEYS[3]) == 0 then
  return {stamp, 'granted', hold(owner, ttl, who, next_fence())}
end
${OWNED}${QUEUE}
local channel, alive, counted, ticket = unpack(ARGV, 6, 9)

local function enqueue()
  local score = redis.call('ZSCORE', KEYS[3], owner)
  if not score then
    score = ticket
    if score == '' then
      local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
      score = string.format('%.0f', math.max(micros, (last or 0) + 1))
    end
    redis.call('ZADD', KEYS[3], score, owner)
  end
  redis.call('HSET', KEYS[4], owner, string.format('%.0f', now + alive) ..
    ' ' .. ttl .. ' ' .. counted .. ' ' .. channel .. ' ' .. stamp .. ' ' .. who)
  redis.call('PEXPIRE', KEYS[3], 60000)
  redis.call('PEXPIRE', KEYS[4], 60000)
  return score
end

if owned(held, owner) then
  local fence = string.match(held, '"fence":(%d+)')
  return {stamp, 'granted', hold(owner, ttl, who, fence)}
end
if not held and order == 'any' then
  drop(owner)
  return {stamp, 'granted', hold(owner, ttl, who, next_fence())}
end
local score = channel and enqueue()
if not held then
  local first, fence = hand_over(owner)
  if first == owner then return {stamp, 'granted', fence} end
  if not first then
    return {stamp, 'granted', hold(owner, ttl, who, next_fence())}
  end
  held = redis.call('GET', KEYS[1])
end
if not channel then return {stamp, 'held', held} end
return {stamp, 'waiting', held, redis.call('PTTL', KEYS[1]),
  redis.call('ZRANK', KEYS[3], owner), score}
`);

/**
 * Gives up whatever an owner has: the lock, or a place in the queue.
 *
 * - Arguments: stamp, owner, what becomes of a lock (`hand over`: it goes to
 *   the first waiter; `wake`: the first waiter is told; `drop`: nobody is);
 *   and, where fencing tokens were set aside for the owner, the last of them
 *   that it has used.
 * - Answer: stamp, and 1 if the owner held the lock, else 0.
 */
export const LEAVE: Script = script(`
${OWNED}
local stamp, owner, how, used = unpack(ARGV)
local held = owned(redis.call('GET', KEYS[1]), owner)
-- The usual case, before what only the others need is made.
if held and not used and redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('DEL', KEYS[1])
  return {stamp, 1}
end
${CLOCK}${HOLD}${QUEUE}
if not held then
  drop(owner)
  return {stamp, 0}
end
if used then set_fence(used) end
if how ~= 'hand over' or not hand_over() then redis.call('DEL', KEYS[1]) end
if how == 'wake' then wake_first() end
return {stamp, 1}
`);

/**
 * Passes a lock on that an owner holds: to the first waiter; or, where nobody
 * waits, to the next task of the owner's process, for which and for those after
 * it fencing tokens are set aside, and the lease is renewed.
 *
 * The lock's JSON has the token of the task that was passed the lock by such a
 * step, so that no step is done twice, however late a copy of it arrives: the
 * lock may have been passed on since.
 *
 * - Arguments: stamp, owner, time to live in ms, the token in the lock's JSON,
 *   the last token that was used, the next one, the last of those to be set
 *   aside.
 * - Answer: stamp, and `kept` or `left`; or `gone` if it is not the owner's, or
 *   has been passed on since.
 */
export const PASS: Script = script(`
${CLOCK}${OWNED}${HOLD}${QUEUE}
local stamp, owner, ttl, noted, used, first, last = unpack(ARGV)
local held = redis.call('GET', KEYS[1])
if not owned(held, owner) then return {stamp, 'gone'} end
local fence = string.match(held, '"fence":(%d+)')
-- What is done already is renewed all the same: the holder counts the lease
-- from the try that is answered.
if fence ~= first then
  if fence ~= noted then return {stamp, 'gone'} end
  set_fence(used)
  if hand_over() then return {stamp, 'left'} end
  set_fence(last)
end
-- A server out of memory refuses to set a key, unless this comes first.
redis.call('PEXPIRE', KEYS[1], ttl)
local passed = string.gsub(held, '"fence":%d+', '"fence":' .. first, 1)
passed = string.gsub(passed, '"expiry":[%d%.]+', '"expiry":' .. seconds(now + ttl), 1)
redis.call('SET', KEYS[1], passed, 'PX', ttl)
return {stamp, 'kept'}
`);

/**
 * Renews leases: each key is one lock.
 *
 * - Arguments: stamp; then for each key its owner and time to live in ms.
 * - Answer: stamp; then for each key 1 if it was renewed, 0 if the lock is
 *   gone, -1 if another has it.
 */
export const RENEW: Script = script(`
${CLOCK}${OWNED}
local answer = {ARGV[1]}
for i, key in ipairs(KEYS) do
  local owner, ttl = ARGV[2 * i], ARGV[2 * i + 1]
  local held = redis.pcall('GET', key)
  if type(held) == 'table' then
    answer[i + 1] = -1
  elseif not owned(held, owner) then
    answer[i + 1] = held and -1 or 0
  else
    -- A server out of memory refuses to set a key, unless this comes first.
    redis.call('PEXPIRE', key, ttl)
    local expiry = string.format('"expiry":%.3f', (now + ttl) / 1000)
    local renewed = string.gsub(held, '"expiry":[%d%.]+', expiry, 1)
    redis.call('SET', key, renewed, 'PX', ttl)
    answer[i + 1] = 1
  end
end
return answer
`);

/**
 * Raises the fencing token of a lock that is held, so that a majority of
 * servers knows it before its holder uses it; or passes the lock on to the next
 * task of the owner's process, unless somebody waits: for that task and for
 * those after it, tokens are set aside.
 *
 * - Arguments: stamp, owner, fencing token; and, to pass the lock on, the last
 *   of those to be set aside.
 * - Answer: stamp, and 1 if it was done, or has been; else 0.
 */
export const RAISE: Script = script(`
${OWNED}
local stamp, owner, fence, last = unpack(ARGV)
local held = redis.call('GET', KEYS[1])
if not owned(held, owner) then return {stamp, 0} end
if last and redis.call('EXISTS', KEYS[3]) == 1 then return {stamp, 0} end
-- A copy that arrives late changes nothing.
if tonumber(redis.call('GET', KEYS[2]) or 0) < tonumber(last or fence) then
  redis.call('SET', KEYS[2], last or fence, 'PX', 86400000)
  local raised = string.gsub(held, '"fence":%d+', '"fence":' .. fence, 1)
  redis.call('SET', KEYS[1], raised, 'PX', math.max(1, redis.call('PTTL', KEYS[1])))
end
return {stamp, 1}
`);

/**
 * Looks who holds the lock.
 *
 * - Argument: stamp.
 * - Answer: stamp, the lock's JSON or null, its time to live in ms.
 */
export const LOOK: Script = script(`
return {ARGV[1], redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
`);

/**
 * Looks which of some locks are held; its keys are the locks' own.
 *
 * - Argument: stamp.
 * - Answer: stamp, and for each lock 1 where it is held, else 0.
 */
export const HELD: Script = script(`
local answer = {ARGV[1]}
for i, key in ipairs(KEYS) do
  answer[i + 1] = redis.call('EXISTS', key)
end
return answer
`);

/**
 * Looks through the server's keys for locks that are held.
 *
 * - Arguments: stamp, the cursor to go on from, a pattern of keys.
 * - Answer: stamp, the next cursor, and for each lock that was found: its key,
 *   its JSON, its time to live in ms.
 */
export const SCAN: Script = script(`
local page = redis.call('SCAN', ARGV[2], 'MATCH', ARGV[3], 'COUNT', 1000)
local answer = {ARGV[1], page[1]}
for _, key in ipairs(page[2]) do
  local held = redis.pcall('GET', key)
  if type(held) == 'string' then
    table.insert(answer, key)
    table.insert(answer, held)
    table.insert(answer, redis.call('PTTL', key))
  end
end
return answer
`);

function script(text: string): Script {
  let sha1: string | null = null;
  return {
    text,
    // Hashed on first use: whoever imports the module may use another lock.
    get sha1(): string {
      return sha1 ??= runtime.digest("sha1", new TextEncoder().encode(text));
    },
  };
}
