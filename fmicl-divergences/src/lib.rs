//! The f-divergences and similarities of f-MICL.
