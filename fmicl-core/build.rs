//! Compiles the C++ that takes a place in libtorch, or gives functions of it a C interface, against the libtorch that tch is linked with.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    let lib = std::env::var_os("DEP_TCH_LIBTORCH_LIB").ok_or("torch-sys did not say where libtorch is")?;
    let lib = PathBuf::from(lib);
    // A relative LIBTORCH is relative to the workspace, and build scripts run in their crate's folder.
    let lib = [lib.clone(), Path::new("..").join(lib)]
        .into_iter()
        .find(|path| path.exists())
        .ok_or("the folder of libtorch's libraries is not there")?;
    // As torch-sys: the headers may lie elsewhere.
    let root = std::env::var_os("LIBTORCH_INCLUDE").map_or(lib.join(".."), PathBuf::from);
    let include = root.join("include");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false);
    build.include(&include).include(include.join("torch/csrc/api/include"));
    println!("cargo::rerun-if-env-changed=FMICL_SANITIZE");
    // scripts/sanitize.
    if let Some(sanitizer) = std::env::var_os("FMICL_SANITIZE") {
        build.flag(format!("-fsanitize={}", sanitizer.display()));
    }
    // Nothing refers to what registers itself with libtorch: a linker would leave it out.
    build.link_lib_modifier("+whole-archive");
    for file in ["src/compute/arithmetic.cc", "src/compute/convolution.cc"] {
        println!("cargo::rerun-if-changed={file}");
        build.file(file);
    }
    build.compile("fmicl_core");
    Ok(())
}
