//! Checkpoints of PyTorch, as `fmicl convert` reads them.

use crate::Target;
use crate::folder::Folder;
use std::path::Path;

/// Files of both forms of `torch.save` are read, or refused in a line that names them.
pub(super) fn pickle() -> Target {
    const FILES: [&str; 3] = ["checkpoint.pth", "checkpoint-legacy.pth", "shared.pth"];
    let folder = Folder::new(|folder| {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/fmicl-export/golden");
        for name in FILES {
            let copied = std::fs::copy(golden.join(name), folder.join(name));
            copied.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    });
    Target::new("pickle", folder.seeds(), move |input| {
        folder.with(input, || {
            for name in FILES {
                match fmicl_export::pickle::read(&folder.path().join(name), None) {
                    Ok(state) => {
                        for (_, tensor) in &state.tensors {
                            let elements: i64 = tensor.size().iter().product();
                            assert_eq!(elements as usize, tensor.numel());
                        }
                    }
                    Err(error) => {
                        let error = error.to_string();
                        assert!(error.contains(&format!("{name}: ")) && !error.contains('\n'), "{error}");
                    }
                }
            }
        });
    })
}
