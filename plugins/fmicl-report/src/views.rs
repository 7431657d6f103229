//! `fmicl views`.
