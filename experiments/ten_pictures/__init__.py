"""Ten pictures judged: five sources of photos, five generators, one of each, none trained on."""
