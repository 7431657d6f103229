//! The published checksum of a file.

use fmicl_core::{Checksum, Error, Result};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The checksum of the file, of the published one's kind, where it differs from that.
pub(crate) fn mismatch(path: &Path, published: &Checksum) -> Result<Option<Checksum>> {
    let (found, expected) = match published {
        Checksum::Md5(expected) => (Checksum::Md5(hash::<Md5>(path)?), expected),
        Checksum::Sha256(expected) => (Checksum::Sha256(hash::<Sha256>(path)?), expected),
    };
    let (Checksum::Md5(digits) | Checksum::Sha256(digits)) = &found;
    let differs = !digits.eq_ignore_ascii_case(expected);
    Ok(differs.then_some(found))
}

fn hash<D: Digest>(path: &Path) -> Result<String> {
    let refused = |error| Error::io(path, error);
    let mut file = File::open(path).map_err(refused)?;
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(refused)? {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // RFC 1321, A.5, and FIPS 180-2, B.1.
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(mismatch(&path, &Checksum::Md5(md5.to_uppercase())).unwrap(), None);
        assert_eq!(mismatch(&path, &Checksum::Sha256(sha256.into())).unwrap(), None);
        let found = mismatch(&path, &Checksum::Md5("0".into())).unwrap();
        assert_eq!(found, Some(Checksum::Md5(md5.into())));
    }
}
