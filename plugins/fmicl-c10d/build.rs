//! Compiles the C++ between c10d and Rust against the libtorch that tch is linked with, and says which backends are left
//! out because their headers are missing.

use std::path::{Path, PathBuf};

/// Where `scripts/setup` puts gloo's headers, and where a system has them.
const GLOO: [&str; 3] = ["../../.gloo/usr/include", "/usr/include", "/usr/local/include"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/shim.cc");
    println!("cargo::rerun-if-env-changed=GLOO_INCLUDE");
    println!("cargo::rustc-check-cfg=cfg(gloo)");
    let lib = std::env::var_os("DEP_TCH_LIBTORCH_LIB").ok_or("torch-sys did not say where libtorch is")?;
    let lib = PathBuf::from(lib);
    // A relative LIBTORCH is relative to the workspace, and build scripts run in their crate's folder.
    let lib = [lib.clone(), Path::new("../..").join(lib)]
        .into_iter()
        .find(|path| path.exists());
    let include = lib
        .ok_or("the folder of libtorch's libraries is not there")?
        .join("../include");

    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false).file("src/shim.cc");
    build.include(&include).include(include.join("torch/csrc/api/include"));
    match gloo() {
        Some(headers) => {
            println!("cargo::rustc-cfg=gloo");
            // After libtorch's own: /usr/include may hold headers of another one.
            build
                .flag("-idirafter")
                .flag(headers)
                .define("FMICL_GLOO", None)
                .define("USE_C10D_GLOO", None);
        }
        None => println!(
            "cargo::warning=gloo's headers were not found: several processes cannot train on CPUs; run scripts/setup, \
             install Debian's libgloo-dev, or name a folder by GLOO_INCLUDE, then `cargo clean --release -p fmicl-c10d`"
        ),
    }
    build.compile("fmicl_c10d");
    Ok(())
}

/// The folder that holds `gloo/`.
fn gloo() -> Option<PathBuf> {
    let named = std::env::var_os("GLOO_INCLUDE").map(PathBuf::from);
    let mut folders = named.into_iter().chain(GLOO.map(PathBuf::from));
    folders.find(|folder| folder.join("gloo/context.h").exists())
}
