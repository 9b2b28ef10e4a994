"""Results of trials: their records on disk, and what follows from them: means, ranks, leaderboards."""
