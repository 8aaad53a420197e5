-- What every script begins with. All keys of a shard stand in one slot of a cluster.
-- KEYS: 1 the cursor (counter, ceiling, floor), 2 and 3 the users' last stamps, younger and older
-- generation, 4 what each node holds of the user: how many streams, and since when. ARGV: 1 the prefix
-- of the shard's other keys and of its channels, 2 the node that asks, 3 the user or an empty text.
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

-- Calls visit(node, count, since) for each other node that lives and holds streams of the user, or held
-- some a moment ago. Since when it does is in milliseconds since 1970.
local function others(visit)
  local held = redis.call('HGETALL', nodes)
  for i = 1, #held, 2 do
    local other = held[i]
    if other ~= node then
      if redis.call('EXISTS', prefix .. 'lease:' .. other) == 1 then
        local number, since = string.match(held[i + 1], '^(%d+) (%d+)$')
        if number then -- else it is of another release
          visit(other, tonumber(number), tonumber(since))
        end
      else
        redis.call('HDEL', nodes, other)
      end
    end
  end
end

-- Notes what this node holds. What nobody renews is forgotten, as its node may have died.
local function hold(number, since)
  redis.call('HSET', nodes, node, text(number) .. ' ' .. text(since))
  redis.call('EXPIRE', nodes, 7200)
end
