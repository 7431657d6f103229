//! The program's own folders within a dataset's, such as `runs` where the experiment lies beside the classes: no classes.

use super::extensions::is_photo;
use fmicl_core::OUTPUT_MARK;
use std::fs::read_dir;
use std::path::Path;

/// Returns true if a folder is one that the program writes to, or holds such folders and no photo, at any depth.
pub(super) fn is_own(folder: &Path) -> bool {
    matches!(look(folder), Found::Own)
}

/// Returns true if a folder is one that the program writes to.
fn is_marked(folder: &Path) -> bool {
    folder.join(OUTPUT_MARK).exists()
}

enum Found {
    Nothing,
    Own,
    Photo,
}

/// Ends at the first photo, which a class has near its top. A folder that cannot be read is an error of whoever lists it.
fn look(folder: &Path) -> Found {
    if is_marked(folder) {
        return Found::Own;
    }
    let mut found = Found::Nothing;
    for entry in read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if is_photo(&name) {
            return Found::Photo;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            match look(&entry.path()) {
                Found::Photo => return Found::Photo,
                Found::Own => found = Found::Own,
                Found::Nothing => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{FollowLinks, ImageFolder, ReadLabels, files::write};
    use fmicl_core::{Dataset, Split};
    use std::os::unix::fs::symlink;

    /// A folder of two classes, in which the program has been at work.
    fn with(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in ["cat/1.png", "cat/2.png", "dog/deep/1.png"].iter().chain(paths) {
            write(&folder.path().join(path), b"").unwrap();
        }
        folder
    }

    /// The number of classes and of photos where the classes lie in the root.
    fn counts(root: &Path) -> Result<(usize, usize), String> {
        let dataset = ImageFolder {
            root: root.into(),
            train: ".".into(),
            test: Some(".".into()),
            links: FollowLinks::Within,
            ..ImageFolder::default()
        };
        let open = |split| dataset.open(split).map_err(|error| error.to_string());
        let (train, test) = (open(Split::Train)?, open(Split::Test)?);
        assert_eq!((train.classes(), train.len()), (test.classes(), test.len()));
        Ok((train.classes(), train.len()))
    }

    #[test]
    fn runs_and_sweeps_are_no_classes_wherever_they_lie() {
        let run = |place: &str| format!("{place}/{OUTPUT_MARK}");
        let cases: [&[&str]; 6] = [
            &[&run("runs/x-1"), "runs/x-1/config.toml", "runs/notes.txt"],
            &[&run("runs/x-1"), "runs/x-1/loss.png"],
            &[&run("sweeps/a"), &run("sweeps/a/runs/kl_seed-0")],
            &[&run("mine"), "mine/plot.png"],
            &[&run("some/where/else/x-1")],
            &[&run("cat/run"), "cat/run/features/view.png"],
        ];
        for paths in cases {
            assert_eq!(counts(with(paths).path()), Ok((2, 3)), "{paths:?}");
        }
    }

    /// The lines about a folder whose classes lie in the root.
    fn notes(root: &Path, labels: ReadLabels) -> Vec<String> {
        let dataset = ImageFolder {
            root: root.into(),
            train: ".".into(),
            labels,
            ..ImageFolder::default()
        };
        let notes = dataset.open(Split::Train).unwrap().notes();
        let root = format!("{}/", root.display());
        notes.into_iter().map(|note| note.replace(&root, "")).collect()
    }

    #[test]
    fn folders_that_are_taken_for_runs_are_said_to_be_left_out() {
        let run = |place: &str| format!("{place}/{OUTPUT_MARK}");
        let folder = with(&[&run("dog"), &run("cat/run"), &run("some/x-1")]);
        let said = "holds runs or sweeps, and is not a class; the files .fmicl.lock say so";
        let left_out = |count| format!(": {count} left out: {count} taken for runs or sweeps (read are");
        let found = notes(folder.path(), ReadLabels::Given);
        assert_eq!(found[..2], [format!("./dog: {said}"), format!("./some: {said}")]);
        assert!(found.len() == 3 && found[2].contains(&left_out(1)), "{found:?}");
        let found = notes(folder.path(), ReadLabels::None);
        assert!(found.len() == 1 && found[0].contains(&left_out(3)), "{found:?}");
    }

    #[test]
    fn a_link_to_the_disk_of_the_runs_is_none_either() {
        let (folder, disk) = (with(&[]), tempfile::tempdir().unwrap());
        write(&disk.path().join("x-1").join(OUTPUT_MARK), b"").unwrap();
        symlink(disk.path(), folder.path().join("runs")).unwrap();
        assert_eq!(counts(folder.path()), Ok((2, 3)));
    }

    #[test]
    fn photos_make_a_class_whatever_its_name_and_whatever_else_it_holds() {
        let run = format!("runs/x-1/{OUTPUT_MARK}");
        let folder = with(&["runs/1.png", "runs/x-1/plot.png", &run, "sweeps/deep/2.png"]);
        assert_eq!(counts(folder.path()), Ok((4, 5)));
    }

    #[test]
    fn a_folder_without_photos_is_named_and_nobody_is_told_to_remove_it() {
        let folder = with(&["old/config.toml", "old/checkpoints/x"]);
        let error = counts(folder.path()).unwrap_err();
        assert!(
            error.ends_with(
                "old: holds no .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp, .gif, .pbm, .pnm, .jpe, .jfif or .npy file, but 1 .toml, 1 without an extension; fill it or move it elsewhere"
            ),
            "{error}"
        );
    }
}
