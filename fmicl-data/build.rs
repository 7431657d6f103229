//! Compiles the few lines of C between libjpeg and Rust, and says if libjpeg was built without SIMD.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/decode/jpeg.c");
    println!("cargo::rustc-check-cfg=cfg(jpeg_simd)");
    let include = std::env::var_os("DEP_JPEG_INCLUDE").ok_or("mozjpeg-sys did not say where its headers are")?;
    let include: Vec<PathBuf> = std::env::split_paths(&include).collect();
    let mut build = cc::Build::new();
    println!("cargo::rerun-if-env-changed=FMICL_SANITIZE");
    // scripts/sanitize.
    if let Some(sanitizer) = std::env::var_os("FMICL_SANITIZE") {
        build.flag(format!("-fsanitize={}", sanitizer.display()));
    }
    build.file("src/decode/jpeg.c").includes(&include).compile("fmicl_jpeg");

    // Without nasm mozjpeg-sys builds plain C and says so only where it itself is built.
    let config = include
        .iter()
        .map(|folder| folder.join("jconfig.h"))
        .find(|path| path.exists());
    let config = config.ok_or("mozjpeg-sys has no jconfig.h")?;
    println!("cargo::rerun-if-changed={}", config.display());
    if std::fs::read_to_string(config)?.contains("WITH_SIMD") {
        println!("cargo::rustc-cfg=jpeg_simd");
    } else {
        println!(
            "cargo::warning=no nasm was found when libjpeg was built: JPEG files decode at half the speed; \
             install nasm, then `cargo clean --release -p mozjpeg-sys`"
        );
    }
    Ok(())
}
