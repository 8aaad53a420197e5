-- Renews the node's lease and sends the node a message, and all nodes one when another's lease has ended. ARGV: 4 for how many milliseconds, 5 how many
-- streams it holds, 6 the highest stamp that it has seen, 7 the number of the beat, 8 the command
-- that publishes. Answers whether the lease held until now and the counter has not gone back, and
-- how many streams the other nodes hold.
local lease = prefix .. 'lease:' .. node
local members = prefix .. 'nodes'
local held = redis.call('EXISTS', lease)
redis.call('SET', lease, ARGV[5], 'PX', ARGV[4])
redis.call('SADD', members, node)
local elsewhere = 0
for _, member in ipairs(redis.call('SMEMBERS', members)) do
  local number = redis.call('GET', prefix .. 'lease:' .. member)
  if not number then
    redis.call('SREM', members, member)
    redis.call(ARGV[8], prefix .. 'all', 'gone')
  elseif member ~= node then
    elsewhere = elsewhere + tonumber(number)
  end
end
redis.call(ARGV[8], prefix .. 'node:' .. node, 'beat ' .. ARGV[7])
if field('counter') < tonumber(ARGV[6]) then
  held = 0
end
return {held, elsewhere}
