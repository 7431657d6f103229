//! Compiles the C++ between c10d and Rust against the libtorch that tch is linked with, and says which backends are left
//! out because their headers are missing.

use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Where `scripts/setup` puts gloo's headers, and where a system has them.
const GLOO: [&str; 3] = ["../../.gloo/usr/include", "/usr/include", "/usr/local/include"];
/// Where `scripts/cuda-headers` puts those that PyTorch's wheels lack.
const CUDA: &str = "../../.cuda";
/// A header of each package that NCCL's backend is compiled with.
const CUDA_HEADERS: [&str; 4] = ["nccl.h", "cuda_runtime.h", "crt/host_config.h", "nv/target"];

fn main() -> Result<()> {
    for changed in ["src/shim.cc", "src/nccl.cc"] {
        println!("cargo::rerun-if-changed={changed}");
    }
    for changed in ["GLOO_INCLUDE", "CUDA_HOME"] {
        println!("cargo::rerun-if-env-changed={changed}");
    }
    println!("cargo::rustc-check-cfg=cfg(gloo)");
    println!("cargo::rustc-check-cfg=cfg(nccl)");
    let lib = std::env::var_os("DEP_TCH_LIBTORCH_LIB").ok_or("torch-sys did not say where libtorch is")?;
    let lib = PathBuf::from(lib);
    // A relative LIBTORCH is relative to the workspace, and build scripts run in their crate's folder.
    let lib = [lib.clone(), Path::new("../..").join(lib)]
        .into_iter()
        .find(|path| path.exists())
        .ok_or("the folder of libtorch's libraries is not there")?;
    let include = lib.join("../include");

    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false);
    build.include(&include).include(include.join("torch/csrc/api/include"));
    match cuda(&lib) {
        Ok(folders) => {
            nccl(&build, &lib, &folders)?;
            println!("cargo::rustc-cfg=nccl");
        }
        Err(missing) => println!("cargo::warning=without NCCL, several processes cannot train on GPUs: {missing}"),
    }
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
             install Debian's libgloo-dev, or name a folder with GLOO_INCLUDE, then `cargo clean --release -p fmicl-c10d`"
        ),
    }
    println!("cargo::rerun-if-env-changed=FMICL_SANITIZE");
    // scripts/sanitize.
    if let Some(sanitizer) = std::env::var_os("FMICL_SANITIZE") {
        build.flag(format!("-fsanitize={}", sanitizer.display()));
    }
    build.file("src/shim.cc").compile("fmicl_c10d");
    Ok(())
}

/// The folder that holds `gloo/`.
fn gloo() -> Option<PathBuf> {
    let named = std::env::var_os("GLOO_INCLUDE").map(PathBuf::from);
    let mut folders = named.into_iter().chain(GLOO.map(PathBuf::from));
    folders.find(|folder| folder.join("gloo/context.h").exists())
}

/// The folders of CUDA's and NCCL's headers and libraries: of the wheels that come with PyTorch's, and of a system; or what is
/// missing.
fn cuda(lib: &Path) -> std::result::Result<Vec<PathBuf>, String> {
    if !lib.join("libtorch_cuda.so").exists() {
        return Err("this libtorch is built for CPUs alone".into());
    }
    let wheels = [lib.join("../../nvidia"), Path::new(CUDA).join("nvidia")];
    let packages = wheels.iter().filter_map(|folder| folder.read_dir().ok()).flatten();
    let packages = packages.filter_map(|entry| Some(entry.ok()?.path()));
    let home = std::env::var_os("CUDA_HOME").map_or("/usr/local/cuda".into(), PathBuf::from);
    let folders: Vec<_> = packages.chain([home]).collect();
    let found = |header: &&str| includes(&folders).iter().any(|folder| folder.join(header).exists());
    match CUDA_HEADERS.iter().find(|header| !found(header)) {
        Some(missing) => Err(format!(
            "{missing} was not found; run scripts/cuda-headers, or name CUDA's folder with CUDA_HOME"
        )),
        None => Ok(folders),
    }
}

fn includes(folders: &[PathBuf]) -> Vec<PathBuf> {
    let all = ["include", "include/cccl"].map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().flatten().filter(|folder| folder.is_dir()).collect()
}

/// Links `nccl.cc` into a library of its own: what refers to libtorch's CUDA half must not be loaded where that is not.
fn nccl(build: &cc::Build, lib: &Path, folders: &[PathBuf]) -> Result<()> {
    let library = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("libfmicl_c10d_nccl.so");
    let names = ["lib", "lib64"].map(|name| folders.iter().map(move |folder| folder.join(name)));
    let files = names.into_iter().flatten().filter_map(|folder| folder.read_dir().ok());
    let mut files = files.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let is_cudart = |path: &PathBuf| path.to_string_lossy().contains("/libcudart.so");
    let cudart = files
        .find(is_cudart)
        .ok_or("CUDA's headers are there, and libcudart.so is not")?;
    let mut compiler = build.get_compiler().to_command();
    for folder in includes(folders) {
        // After libtorch's own.
        compiler.arg("-idirafter").arg(folder);
    }
    compiler.args([
        "-DUSE_C10D_NCCL",
        "-DUSE_CUDA",
        "-shared",
        "-fPIC",
        "-s",
        "src/nccl.cc",
        "-o",
    ]);
    compiler.arg(library).arg("-L").arg(lib);
    compiler
        .args(["-ltorch_cuda", "-lc10_cuda", "-ltorch_cpu", "-lc10"])
        .arg(cudart);
    // What it refers to is there, or it is an error now and not on the GPU machine.
    compiler.arg("-Wl,--no-undefined");
    match compiler.status()?.success() {
        true => Ok(()),
        false => Err("NCCL's backend cannot be compiled and linked".into()),
    }
}
