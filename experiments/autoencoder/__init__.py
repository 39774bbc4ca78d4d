"""Train the small autoencoder behind `generate autoencoder`, and measure its round trips."""
