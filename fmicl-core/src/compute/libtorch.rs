//! Version of the loaded libtorch.

unsafe extern "C" {
    /// Of `torch/csrc/inductor/aoti_torch/c/shim.h`: a byte each of the major, the minor and the patch version, and five others.
    fn aoti_torch_abi_version() -> u64;
}

/// The version of the libtorch that is loaded, such as 2.11.0.
pub fn libtorch_version() -> String {
    // SAFETY: it returns a constant.
    let [major, minor, patch, ..] = unsafe { aoti_torch_abi_version() }.to_be_bytes();
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_that_which_tch_goes_with() {
        assert_eq!(super::libtorch_version(), "2.11.0");
    }
}
