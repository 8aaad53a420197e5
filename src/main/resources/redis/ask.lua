-- Sends a question to the other nodes that hold streams of the user. ARGV: 4 its number, 5 its topic and its text,
-- 6 the command that publishes. Answers to how many nodes.
local asked = 0
others(function(other, number)
  if number > 0 then
    redis.call(ARGV[6], prefix .. 'node:' .. other, 'ask ' .. node .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
    asked = asked + 1
  end
end)
return asked
