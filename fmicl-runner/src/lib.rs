//! The fmicl command line: train, evaluate, list, check.
