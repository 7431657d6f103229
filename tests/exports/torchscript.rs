//! TorchScript, here and in Python.

use super::*;

/// The features of a TorchScript file in Python, for 1 and for 5 images.
const PYTHON: &str = "
import sys, torch
model = torch.jit.load(sys.argv[1]).eval()
size = int(sys.argv[2])
for count in 1, 5:
    images = torch.arange(count * 3 * size * size, dtype=torch.float32).sin().view(count, 3, size, size)
    print(*model(images).flatten().tolist())
";

/// The features as Python computes them, where the project's own PyTorch is there; a libtorch of the user's own may have
/// no Python.
fn in_python(script: &Path, size: i64) -> Option<Vec<Vec<f32>>> {
    let libtorch = Path::new(env!("CARGO_MANIFEST_DIR")).join(".libtorch");
    if !libtorch.join("torch/__init__.py").is_file() {
        return None;
    }
    let mut python = Command::new("python3");
    python
        .env("PYTHONPATH", libtorch)
        .args(["-c", PYTHON, text(script), &size.to_string()]);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers = |line: &str| line.split(' ').map(|number| number.parse().unwrap()).collect();
    Some(String::from_utf8(output.stdout).unwrap().lines().map(numbers).collect())
}

#[test]
fn every_backbone_as_torchscript_gives_the_same_features_here_and_in_python() {
    let of = |modality| {
        let reads = move |part: &registry::Listing| backbone(part.name).modality() == modality;
        registry::list::<dyn Backbone>().into_iter().filter(reads)
    };
    // Sentences have any length, and a trace keeps the one that it saw.
    for part in of(Modality::Texts) {
        let (_folder, run) = run_on_texts(part.name);
        fmicl(&["export", text(&run)]);
        let exported = tensors(&run.join("backbone.safetensors"));
        assert!(
            exported.keys().all(|name| !name.starts_with("backbone.")),
            "{}",
            part.name
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = command
            .args(["export", text(&run), "--out", text(&run.join("x.pt"))])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("number of samples or tokens") && stderr.contains("safetensors"),
            "{stderr}"
        );
        assert!(!run.join("x.pt").exists());
    }
    for part in of(Modality::Images) {
        let (folder, run) = run_of(format!("backbone={}", part.name));
        let script = folder.path().join("backbone.pt");
        assert!(fmicl(&["export", text(&run), "--out", text(&script)]).contains("backbone.pt: "));
        let expected = [1, 5].map(|count| encode(&run, &images(count, 16)));
        let module = CModule::load(&script).unwrap();
        let found = [1, 5].map(|count| module.forward_ts(&[images(count, 16)]).unwrap());
        let in_python = in_python(&script, 16);
        for (index, expected) in expected.iter().enumerate() {
            assert!(expected.allclose(&found[index], 1e-5, 1e-5, false), "{}", part.name);
            if let Some(python) = &in_python {
                let python = Tensor::from_slice(&python[index]).view_as(expected);
                assert!(expected.allclose(&python, 1e-5, 1e-5, false), "{} in Python", part.name);
            }
        }
    }
}
