-- Sends a message to all nodes. ARGV: 4 the message, 5 the command that publishes.
redis.call(ARGV[5], prefix .. 'all', ARGV[4])
return 1
