-- Sends a message to all nodes, or to one. ARGV: 4 'all', or 'node:' and which, 5 the message, 6 the command that publishes.
redis.call(ARGV[6], prefix .. ARGV[4], ARGV[5])
return 1
