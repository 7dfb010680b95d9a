"""What the commands on a user's own files do."""
