-- Stamps a poke and sends it to the other nodes that hold streams of the user.
-- ARGV: 4 after how many milliseconds it is delivered, 5 how many users a generation holds,
-- 6 the command that publishes. Answers the stamp, and how many streams the other nodes hold.
local stamp = redis.call('HINCRBY', cursor, 'counter', 1)
redis.call('HSET', young, user, text(stamp))
if redis.call('HLEN', young) > tonumber(ARGV[5]) then
  redis.call('UNLINK', old) -- in the background, where RENAME would free it before it goes on
  redis.call('RENAME', young, old)
  redis.call('HSET', cursor, 'floor', text(math.max(field('floor'), field('ceiling'))), 'ceiling', text(stamp))
end
local told = 0
others(function(other, number)
  if number == 0 then
    return
  end
  redis.call(ARGV[6], prefix .. 'node:' .. other, 'poke ' .. text(stamp) .. ' ' .. ARGV[4] .. ' ' .. user)
  told = told + number
end)
return {stamp, told}
