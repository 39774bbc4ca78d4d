"""How the small base that ships with kerasfaces was trained, and how well it does."""
