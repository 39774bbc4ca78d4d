"""Networks that channels and masks run, and where their weights come from."""
