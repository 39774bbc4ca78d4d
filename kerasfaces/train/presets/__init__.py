"""Named training configurations, one file each: `CONFIGS`, model -> configuration."""
