//! The program that runs: which sources it was made of, and its own file.

use fmicl_core::{libtorch_version, registry};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit of its sources, with `-dirty` where they differed from it; known where git or `cargo package` told the build.
pub const COMMIT: Option<&str> = option_env!("FMICL_COMMIT");

/// The digits of a hash that are shown; all of them are written down.
const SHOWN: usize = 12;

/// `fmicl --version`.
pub fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let commit = COMMIT.map(|commit| format!("commit {}, ", short(commit)));
        format!(
            "{VERSION} ({}libtorch {})",
            commit.unwrap_or_default(),
            libtorch_version()
        )
    });
    &TEXT
}

/// The first digits of a hash, and whatever is behind its dash.
pub fn short(hash: &str) -> String {
    let (digits, rest) = hash.find('-').map_or((hash, ""), |dash| hash.split_at(dash));
    format!("{}{rest}", digits.get(..SHOWN).unwrap_or(digits))
}

/// Every crate that registered a part in this program, with its version.
pub fn crates() -> BTreeMap<String, String> {
    let parts = registry::kinds().into_iter().flat_map(|kind| (kind.list)());
    parts
        .map(|part| (part.crate_name.into(), part.version.into()))
        .collect()
}

/// The file that this process runs, for starting it once more. Linux knows it even where another build has taken its place
/// since, or nothing has.
///
/// # Errors
/// The system's.
pub fn path() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok("/proc/self/exe".into()),
        false => std::env::current_exe(),
    }
}

/// Takes the name by which the program was called in the system's lists of processes, where it was started by [`path`]:
/// who looks for it there would find an `exe`.
pub fn take_name() {
    let comm = "/proc/self/comm";
    let called = std::env::args_os().next().unwrap_or_default();
    if let Some(name) = Path::new(&called).file_name()
        && std::fs::read_to_string(comm).is_ok_and(|name| name.trim_end() == "exe")
    {
        // Where it cannot be had, all goes on under the other one.
        let _ = std::fs::write(comm, name.as_encoded_bytes());
    }
}

/// The SHA-256 of that file, in hexadecimal digits; nothing where the system does not show it. It is read once, which takes
/// a fraction of a second.
pub fn sha256() -> Option<&'static str> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    HASH.get_or_init(|| hash(File::open(path().ok()?).ok()?).ok())
        .as_deref()
}

/// Begins to read the file, beside what the process does meanwhile.
pub fn begin_sha256() {
    std::thread::spawn(sha256);
}

fn hash(mut file: impl Read) -> io::Result<String> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // FIPS 180-2, B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(&b"abc"[..]).unwrap(), expected);
        assert_eq!(
            (short(expected), short("ab-dirty")),
            ("ba7816bf8f01".into(), "ab-dirty".into())
        );
    }

    #[test]
    fn the_hash_of_this_process_is_that_of_its_file() {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(sha256(), Some(&*hash(file).unwrap()));
    }

    #[test]
    fn the_version_names_libtorch_and_the_commit_where_it_is_known() {
        let commit = COMMIT.map_or(String::new(), |commit| format!("commit {}, ", short(commit)));
        assert_eq!(version(), format!("{VERSION} ({commit}libtorch 2.11.0)"));
    }
}
