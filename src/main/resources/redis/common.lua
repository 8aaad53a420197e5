-- What every script begins with. All keys of a shard stand in one slot of a cluster.
-- KEYS: 1 the cursor (counter, ceiling, floor), 2 and 3 the users' last stamps, younger and older
-- generation, 4 a user's connections by node. ARGV: 1 the prefix of the shard's other keys and of
-- its channels, 2 the node that asks, 3 the user or an empty text.
local cursor, young, old, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, node, user = ARGV[1], ARGV[2], ARGV[3]

local function text(number)
  return string.format('%.0f', number)
end

local function field(name)
  return tonumber(redis.call('HGET', cursor, name)) or 0
end

-- A counter that begins anew begins at the time in microseconds, so above all that it gave before.
if redis.call('EXISTS', cursor) == 0 then
  local now = redis.call('TIME')
  local first = text(tonumber(now[1]) * 1000000 + tonumber(now[2]))
  redis.call('HSET', cursor, 'counter', first, 'ceiling', first, 'floor', first)
end

local function latest()
  return math.max(
    tonumber(redis.call('HGET', young, user) or 0),
    tonumber(redis.call('HGET', old, user) or 0),
    field('floor'))
end

-- Calls visit(node, count) for each other node that lives and holds streams of the user.
local function others(visit)
  local counts = redis.call('HGETALL', nodes)
  for i = 1, #counts, 2 do
    local other = counts[i]
    if other ~= node then
      if redis.call('EXISTS', prefix .. 'lease:' .. other) == 1 then
        visit(other, tonumber(counts[i + 1]))
      else
        redis.call('HDEL', nodes, other)
      end
    end
  end
end

-- A count that nobody renews is forgotten, as its node may have died.
local function count(number)
  if number > 0 then
    redis.call('HSET', nodes, node, text(number))
    redis.call('EXPIRE', nodes, 7200)
  else
    redis.call('HDEL', nodes, node)
  end
end
