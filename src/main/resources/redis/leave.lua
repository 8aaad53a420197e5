-- Gives up the node's lease: it is stopping. ARGV: 4 the command that publishes.
redis.call('DEL', prefix .. 'lease:' .. node)
redis.call('SREM', prefix .. 'nodes', node)
redis.call(ARGV[4], prefix .. 'all', 'gone')
return 1
