"""Model keys of parity cases that no system here computes yet: a list that shrinks to nothing."""

NOT_BUILT = frozenset(
    {
        "babe2_cqt",
        "babe2_edm",
        "babe2_filter",
        "babe2_ltas",
        "babe2_network",
        "babe2_step",
        "behm_audiounet",
        "behm_discriminators",
        "behm_generator",
        "behm_pipeline",
        "behm_seanet",
        "behm_training_ops",
        "behm_wave",
        "denoiser",
        "denoiser_tf",
        "denoiser_wave",
    }
)
