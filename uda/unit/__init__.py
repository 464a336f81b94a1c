"""UNIT (Liu, Breuel, Kautz 2017): coupled VAE-GANs with a shared latent space. Knows nothing of classification."""
