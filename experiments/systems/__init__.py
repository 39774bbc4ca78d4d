"""Every detector of the toolkit on one split: quality beside what it costs."""
