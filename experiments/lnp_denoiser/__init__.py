"""Train the small denoiser behind the learned noise pattern, and compare it."""
