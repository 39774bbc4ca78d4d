"""Named training configurations, one file each: `get_config(model)`."""
