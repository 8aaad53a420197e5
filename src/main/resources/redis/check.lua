-- Answers what the user of the connection may not do of what the other scripts do, and what subscribing takes.
-- KEYS: 1 any key. ARGV: 1 any channel, 2 the command that publishes, 3 the one that subscribes.
local key, channel = KEYS[1], ARGV[1]
local missing = {}
for _, command in ipairs({
  {'DEL', key}, {'EVALSHA', '0', '1', key}, {'EXISTS', key}, {'EXPIRE', key, '1'}, {'GET', key}, {'GETDEL', key},
  {'HDEL', key, 'a'}, {'HGET', key, 'a'}, {'HGETALL', key}, {'HINCRBY', key, 'a', '1'}, {'HLEN', key},
  {'HSET', key, 'a', '1'}, {'RENAME', key, key}, {'SADD', key, 'a'}, {'SET', key, '1'}, {'SMEMBERS', key},
  {'SREM', key, 'a'}, {'TIME'}, {'UNLINK', key}, {ARGV[2], channel, ''}, {ARGV[3], channel},
}) do
  if not redis.acl_check_cmd(unpack(command)) then
    table.insert(missing, command[1])
  end
end
return table.concat(missing, ' ')
