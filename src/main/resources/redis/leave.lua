-- Gives up the node's lease: it is stopping.
redis.call('DEL', prefix .. 'lease:' .. node)
redis.call('SREM', prefix .. 'nodes', node)
return 1
