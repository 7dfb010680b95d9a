"""Audio super-resolution: AudioUNet and the TFiLM U-Net (Birnbaum et al., NeurIPS 2019)."""
