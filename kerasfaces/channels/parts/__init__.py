"""What channels are made of: the contract, networks and where their weights come from."""
