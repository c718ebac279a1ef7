-- policy.py for all processes together, in one atomic step: the same formulas over the same state, kept in Redis.
-- What it has beyond policy.py: whose turn is next, and when, is published whenever it changes (`next_*`). The process
-- of that request sleeps until then, and starts it. Whoever comes meanwhile and has had less takes its place.
--
-- KEYS   state, order, lines, keys, log, requests, processes, channel
-- ARGV   step, settings as JSON, process, epoch, the step's own
-- Reply  outcome, its number, rate, processes, epoch, whose turn is next (process, request, in how many seconds), now
local STATE, ORDER, LINES, RECORDS, LOG, REQUESTS, PROCESSES, CHANNEL = unpack(KEYS)
local step, S, process, epoch = ARGV[1], cjson.decode(ARGV[2]), ARGV[3], ARGV[4]
local call = redis.call

local function redis_time()
  local stamp = call('TIME')
  return tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
end
local now = redis_time()

local function text(number) return string.format('%.17g', number) end

-- The state: virtual time, size of the queue, weight of the keys that come back; what pace.py holds; the next.
local function fresh()
  return { seq = 0, virtual = 0, returning = 0, size = 0, arrival = -1e18, hold = -1e18, lowered_at = -1e18,
    lowered_to = S.full, strikes = 0, last_429 = -1, next_at = 0, next_id = '', next_process = '', epoch = '', seen = -1 }
end
local state = fresh()
local TEXTS = { next_id = true, next_process = true, epoch = true }
local flat = call('HGETALL', STATE)
for i = 1, #flat, 2 do state[flat[i]] = TEXTS[flat[i]] and flat[i + 1] or tonumber(flat[i + 1]) end
-- Redis has the clock of the wall. Put back by an hour, everybody would wait for as long: what was kept is forgotten, and
-- all processes join again, as with a Redis that was restarted.
if now < state.seen - 1 then
  for i = 1, 7 do call('DEL', KEYS[i]) end
  state = fresh()
end
state.seen = now

local function rate(at)
  local quiet = (at or now) - state.lowered_at
  if quiet >= S.quiet then return S.full end
  return math.min(S.full, state.lowered_to + S.full * S.regain * quiet / 60)
end

local function reply(outcome, number)
  if state.epoch ~= '' then
    local fields = {}
    for name, value in pairs(state) do
      fields[#fields + 1] = name
      fields[#fields + 1] = TEXTS[name] and value or text(value)
    end
    call('HSET', STATE, unpack(fields))
    for i = 1, 7 do call('EXPIRE', KEYS[i], S.forget) end
  end
  return { outcome, text(number or 0), text(rate()), call('ZCARD', PROCESSES), state.epoch, state.next_process,
    state.next_id, text(math.max(state.next_at - now, 0)), text(now) }
end

-- pace.py
local function next_slot(ahead)
  local start, most = math.max(now, state.hold), math.max(1, math.floor(S.full))
  local rounds, rest = math.floor(ahead / most), ahead % most
  local spread = math.max(state.arrival, start) + (ahead - S.burst + 1) * (S.window / rate())
  local place, counted = call('ZCARD', LOG) - most + rest, start
  if place >= 0 then
    local found = call('ZRANGE', LOG, place, place, 'WITHSCORES')
    if found[2] then counted = tonumber(found[2]) + S.window end
  end
  return math.max(start, spread, counted + rounds * S.window)
end

local function take(at, id, key)
  state.arrival = math.max(state.arrival, at) + S.window / rate(at)
  call('ZADD', LOG, text(at), id .. ' ' .. key)
end

local function refused(taken, retry_after)
  state.last_429 = now
  if taken > state.lowered_at then
    state.strikes = now - state.lowered_at < S.forgiven and state.strikes + 1 or 0
    state.lowered_to = math.max(S.full * S.least, rate() * S.decrease)
    state.lowered_at = now
    state.hold = math.max(state.hold, now + math.min(2 ^ state.strikes, S.longest_hold))
  end
  if retry_after >= 0 then state.hold = math.max(state.hold, now + retry_after) end
end

-- fair_queue.py; a record is what it calls a line, its waiting requests are in LINES as `key number id`.
local function padded(number) return string.format('%016d', number) end

local function load(key, weight)
  local packed = call('HGET', RECORDS, key)
  if not packed then
    return { key = key, weight = weight or 1, tag = state.virtual, recent = 0, size = 0, place = '', returns = false }
  end
  local w, tag, recent, size, place = string.match(packed, '^(%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  local record = { key = key, weight = tonumber(w), tag = tonumber(tag), recent = tonumber(recent), size = tonumber(size),
    place = place }
  record.returns = record.recent > 1 or record.size > 1
  if weight and weight ~= record.weight then
    if record.returns then state.returning = state.returning + (weight - record.weight) end
    record.weight = weight
  end
  return record
end

local function head(key)
  return call('ZRANGEBYLEX', LINES, '[' .. key .. ' ', '(' .. key .. '!', 'LIMIT', 0, 1)[1]
end

local function save(record)
  local returns = record.recent > 1 or record.size > 1
  if returns ~= record.returns then
    state.returning = state.returning + (returns and record.weight or -record.weight)
    record.returns = returns
  end
  if record.place ~= '' then call('ZREM', ORDER, record.place .. ' ' .. record.key) end
  record.place = ''
  if record.size > 0 then
    record.place = string.match(head(record.key), ' (%d+) ')
    call('ZADD', ORDER, text(record.tag), record.place .. ' ' .. record.key)
  end
  if record.size == 0 and record.recent == 0 then
    call('HDEL', RECORDS, record.key)
    if call('HLEN', RECORDS) == 0 then state.virtual, state.returning = 0, 0 end
  else
    call('HSET', RECORDS, record.key, table.concat({ text(record.weight), text(record.tag), record.recent, record.size,
      record.place }, ' '))
  end
end

local function serve(record)
  state.virtual = math.max(state.virtual, record.tag)
  record.tag = record.tag + 1 / record.weight
  record.recent = record.recent + 1
end

local function places_before(key, weight)
  local record = load(key)
  local tag = math.max(record.tag, state.virtual) + record.size / weight
  local others = state.size - record.size
  local keys_before = call('ZCOUNT', ORDER, '-inf', text(tag)) - (record.size > 0 and 1 or 0)
  local free = 1 - (call('ZCARD', LOG) - record.recent) / rate()
  local by_demand = free > 0 and (record.size + others) / free or math.huge
  local returning = state.returning - (record.returns and record.weight or 0)
  local by_share = record.size + returning * (tag - state.virtual)
  return math.floor(math.max(record.size + keys_before, math.min(by_demand, by_share)))
end

local function remove(id, number, key)
  call('ZREM', LINES, key .. ' ' .. padded(number) .. ' ' .. id)
  call('HDEL', REQUESTS, id)
  local record = load(key)
  record.size = record.size - 1
  state.size = state.size - 1
  return record
end

local function join_queue(id, number, key, weight, first)
  local record = load(key, weight)
  if first then
    record.tag = record.tag - 1 / record.weight
  elseif record.size == 0 then
    record.tag = math.max(record.tag, state.virtual)
  end
  record.size = record.size + 1
  state.size = state.size + 1
  call('ZADD', LINES, 0, key .. ' ' .. padded(number) .. ' ' .. id)
  call('HSET', REQUESTS, id, table.concat({ number, process, key }, ' '))
  save(record)
end

-- Whose turn is next. Requests of processes that are gone are dropped in passing, a bounded number at a time.
local function announce()
  for _ = 1, 100 do
    local first = call('ZRANGE', ORDER, 0, 0)[1]
    if not first then
      state.next_id, state.next_process, state.next_at = '', '', 0
      return
    end
    local key = string.match(first, ' (%S+)$')
    local number, id = string.match(head(key), ' (%d+) (%S+)$')
    local owner = string.match(call('HGET', REQUESTS, id) or '', '^%S+ (%S+) ')
    if owner and call('ZSCORE', PROCESSES, owner) then
      local at = next_slot(0)
      local moved = math.abs(at - state.next_at) > 0.001 and (at > now or state.next_at > now)
      if id ~= state.next_id or moved then
        state.next_id, state.next_process, state.next_at = id, owner, at
        call('PUBLISH', CHANNEL, table.concat({ owner, id, text(at - now) }, ' '))
      end
      return
    end
    save(remove(id, tonumber(number), key))
  end
end

local function unsent(id, key)
  if call('ZREM', LOG, id .. ' ' .. key) == 0 then return end
  state.arrival = state.arrival - S.window / rate()
  local record = load(key)
  record.tag = record.tag - 1 / record.weight
  record.recent = record.recent - 1
  save(record)
end

local function tidy()
  local old = call('ZRANGEBYSCORE', LOG, '-inf', text(now - S.window), 'LIMIT', 0, 200)
  for _, member in ipairs(old) do
    local record = load(string.match(member, ' (%S+)$'))
    record.recent = record.recent - 1
    save(record)
  end
  if #old > 0 then call('ZREMRANGEBYRANK', LOG, 0, #old - 1) end
  call('ZREMRANGEBYSCORE', PROCESSES, '-inf', text(now - S.dead))
  if state.next_id ~= '' and now > math.max(state.next_at, state.hold) + S.grace then
    -- Whoever does not start in time is taken for dead, until he is heard of again.
    call('ZREM', PROCESSES, state.next_process)
    announce()
  end
end

if step == 'join' then -- its former name, and `age key` of its requests in the window that this state does not know
  if state.epoch == '' then state.epoch = text(now) end
  call('ZREM', PROCESSES, ARGV[5])
  call('ZADD', PROCESSES, text(now), process)
  tidy()
  for i = 6, #ARGV do
    local age, key = string.match(ARGV[i], '^(%S+) (%S+)$')
    call('ZADD', LOG, text(now - tonumber(age)), process .. ':' .. text(now) .. ':' .. i .. ' ' .. key)
    local record = load(key, 1)
    record.recent = record.recent + 1
    save(record)
  end
  return reply('joined')
end

if state.epoch == '' or state.epoch ~= epoch or not call('ZSCORE', PROCESSES, process) then return reply('join') end
call('ZADD', PROCESSES, text(now), process)
tidy()

if step == 'ask' then
  local id, key, weight, wait, number = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  if call('HEXISTS', REQUESTS, id) == 1 then return reply('wait') end -- asked before, and the answer was lost
  if number == 0 then
    state.seq = state.seq + 1
    number = state.seq
  end
  if state.size == 0 and next_slot(0) <= now then
    take(now, id, key)
    local record = load(key, weight)
    record.tag = math.max(record.tag, state.virtual)
    serve(record)
    save(record)
    return reply('go', number)
  end
  local seconds = math.max(next_slot(places_before(key, weight)) - now, 0)
  if state.size >= S.max_queue then return reply('full', seconds) end
  if seconds > wait then return reply('no', seconds) end
  join_queue(id, number, key, weight, false)
  announce()
  return reply('wait', number)
end

if step == 'again' then
  local id, key, weight, wait, number = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  if call('HEXISTS', REQUESTS, id) == 1 then return reply('wait') end
  refused(tonumber(ARGV[10]), tonumber(ARGV[11]))
  local seconds = next_slot(0) - now
  if seconds > wait then return reply('no', seconds) end
  join_queue(id, number, key, weight, true)
  announce()
  return reply('wait', number)
end

if step == 'start' then -- its turn has come
  local id, key = ARGV[5], ARGV[6]
  local number = string.match(call('HGET', REQUESTS, id) or '', '^(%d+)')
  if not number then return reply('gone') end
  announce()
  if state.next_id ~= id then return reply('wait') end
  if next_slot(0) > now then return reply('later', next_slot(0) - now) end
  local record = remove(id, tonumber(number), key)
  serve(record)
  take(now, id, key)
  save(record)
  announce()
  return reply('go', now)
end

if step == 'leave' then -- whether it waits, or was let go and not sent
  local id, key = ARGV[5], ARGV[6]
  local number = string.match(call('HGET', REQUESTS, id) or '', '^(%d+)')
  if number then save(remove(id, tonumber(number), key)) else unsent(id, key) end
  announce()
  return reply('left')
end

if step == 'status' then
  local found = reply('status', state.size)
  found[10], found[11] = text(state.last_429 >= 0 and now - state.last_429 or -1), call('ZCARD', LOG)
  found[12] = call('HGETALL', RECORDS)
  return found
end

announce() -- step == 'tick': a sign of life
return reply('ticked')
