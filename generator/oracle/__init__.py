"""What those achieve who know the network that made a table: the ceiling of every leaderboard."""
