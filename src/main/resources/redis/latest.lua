-- Answers the user's last stamp, or the latest that it can have been.
return latest()
