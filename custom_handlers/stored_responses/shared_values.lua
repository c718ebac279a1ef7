-- One owner's values, as one step. KEYS[1] is the owner's index: the names of the values, by the time of their last use.
-- ARGV: the step ("get", "put" or "delete"), seconds that a value is kept after its last use, the most bytes, the most
-- values; then names, for "put" each with its value.
local index = KEYS[1]
local step, seconds, most_bytes, most_values = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000

local function key_of(name)
  return index .. ':' .. name
end

local function drop(name)
  redis.call('UNLINK', key_of(name))
  redis.call('ZREM', index, name)
end

local found = {}
if step == 'get' then
  for i = 5, #ARGV do
    local value = redis.call('GET', key_of(ARGV[i]))
    found[i - 4] = value
    if value then
      redis.call('EXPIRE', key_of(ARGV[i]), seconds)
      redis.call('ZADD', index, now, ARGV[i])
    end
  end
elseif step == 'delete' then
  for i = 5, #ARGV do
    drop(ARGV[i])
  end
else
  for i = 5, #ARGV, 2 do
    redis.call('SET', key_of(ARGV[i]), ARGV[i + 1], 'EX', seconds)
    redis.call('ZADD', index, now, ARGV[i])
  end
  local bytes, values = 0, 0
  for _, name in ipairs(redis.call('ZREVRANGE', index, 0, -1)) do
    local length = redis.call('STRLEN', key_of(name))
    if length == 0 then
      drop(name)
    else
      bytes, values = bytes + length, values + 1
      if bytes > most_bytes or values > most_values then
        drop(name)
      end
    end
  end
end
redis.call('EXPIRE', index, seconds)
return found
