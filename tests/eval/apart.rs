//! Encoders that are judged apart from their runs: side by side, of files, on other data.

use super::run::{fmicl, run_with, text};
use super::{dataset, photos, refused, run_on};
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Dataset, Part, weights};
use serde_json::Value;

/// What is printed as JSON.
fn judged(args: &[&str]) -> Value {
    serde_json::from_str(&fmicl(&[&["eval"], args, &["--json"]].concat())).unwrap()
}

/// The main metric of an evaluation of an encoder.
fn accuracy(found: &Value, encoder: &str, evaluation: &str) -> f64 {
    let reports = found["reports"].as_array().unwrap().iter();
    let mut of = reports.filter(|it| it["representation"] == encoder && it["evaluation"] == evaluation);
    of.next().unwrap()["metrics"][0]["value"].as_f64().unwrap()
}

#[test]
fn encoders_stand_side_by_side_as_each_alone_with_their_differences() {
    let folder = photos();
    let (_one, first) = run_on(&folder, "", |_| ());
    let (_two, second) = run_on(&folder, "", |model| {
        for (name, weight) in model.store.variables() {
            if name.starts_with("backbone.") && name.contains("bn") {
                let _ = fmicl_core::tch::no_grad(|| weight.shallow_clone().zero_());
            }
        }
    });
    let (first, second) = (text(&first), text(&second));
    let both = judged(&[first, second, "--on", "knn,linear"]);
    for evaluation in ["knn", "linear"] {
        for run in [first, second] {
            let alone = judged(&[run, "--on", evaluation]);
            assert_eq!(
                accuracy(&both, run, evaluation),
                accuracy(&alone, "encoder", evaluation)
            );
        }
    }
    let difference = &both["differences"][0];
    assert_eq!(
        (&difference["encoder"], &difference["metric"]),
        (&second.into(), &"knn.accuracy".into())
    );
    let expected = accuracy(&both, second, "knn") - accuracy(&both, first, "knn");
    assert!(
        (difference["mean"].as_f64().unwrap() - expected).abs() < 1e-9,
        "{difference}"
    );

    // What the first one's experiment says, where nothing is named: of `knn` it is `k = 5`.
    let table = fmicl(&["eval", first, second]);
    assert!(
        table.contains("k = 5 (") && table.contains("linear.accuracy"),
        "{table}"
    );
    assert_eq!(
        refused(&["eval", first, first, "--on", "knn"]),
        format!("{first}: is there twice; name each encoder once")
    );
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(first, &link).unwrap();
    let same = fmicl(&["eval", first, text(&link), "--on", "knn"]);
    assert!(
        same.contains("knn.accuracy: +0.0 [+0.0, +0.0], not distinguishable"),
        "{same}"
    );

    let one = |set: &str| refused(&["eval", first, second, "--on", "knn,linear", "--set", set]);
    assert_eq!(
        one("k=3"),
        "--set k=3: there are several evaluations: knn, linear; name the one that it is for, such as knn.k"
    );
    assert!(one("knn.K=3").contains("did you mean `k`?"), "{}", one("knn.K=3"));
    let table = fmicl(&["eval", first, "--on", "knn,linear", "--set", "knn.k=3"]);
    assert!(table.contains("k = 3 ("), "{table}");
    assert_eq!(
        refused(&["eval", first, "--on", "knn,knn"]),
        "--on: `knn` is there twice"
    );
    let most = refused(&["eval", first, "--on", "knn", "--set", "k=21"]);
    assert!(
        most.starts_with("--set k=21: evaluations.knn.k: 21 is more than the dataset's 20 labelled"),
        "{most}"
    );
}

#[test]
fn runs_of_which_each_has_its_own_copy_of_a_list_are_of_one_dataset() {
    let folder = photos();
    let list = |name: &str, row: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("split,sample,path\n{row}\n")).unwrap();
        let of = dataset(&folder, "");
        format!(
            "dataset={{name='leave-out',list='{}',of={}}}",
            path.display(),
            of.trim_start_matches("dataset=")
        )
    };
    let one = list("one.csv", "test,,test/one/1.png");
    let [first, second] = [&one, &one].map(|dataset| run_with(dataset.clone(), |_| ()));
    let found = judged(&[text(&first.1), text(&second.1), "--on", "knn"]);
    assert_eq!(found["labels"]["test"], 7);
    let (_other, other) = run_with(list("two.csv", "test,,test/one/2.png"), |_| ());
    let differ = refused(&["eval", text(&first.1), text(&other), "--on", "knn"]);
    assert!(differ.ends_with("say with --data which one judges all"), "{differ}");
}

#[test]
fn the_labels_are_those_of_a_dataset_an_experiment_a_run_a_folder_or_a_list() {
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let run = text(&run);
    let (_digits, of_digits) = run_with("dataset='digits'".into(), |_| ());
    let root = folder.path().join("photos");
    let own = judged(&[run, "--on", "knn"]);
    let by = |data: &str, more: &[&str]| judged(&[&[text(&of_digits), "--on", "knn", "--data", data], more].concat());
    let experiment = folder.path().join("x.toml");
    let lines = "backbone={name='resnet',stem='cifar',width=8}\narchitecture='simclr'\nobjective='infonce'\noptimizer='sgd'\n\
                 train={epochs=1,batch_size=8,lr=0.5}";
    std::fs::write(&experiment, format!("{}\n{lines}", dataset(&folder, ""))).unwrap();
    let root_is = format!("dataset.root={}", root.display());
    let manifest: Part<dyn Dataset> = Part::new("manifest", toml::Table::new()).unwrap();
    manifest.example(&folder.path().join("listed")).unwrap();
    for found in [
        by(run, &[]),
        by(text(&experiment), &[]),
        by(text(&root), &[]),
        by("image-folder", &["--set", &root_is]),
    ] {
        assert_eq!(found["labels"], own["labels"]);
        let classes = found["reports"][0]["confusion"].as_array().unwrap().len();
        assert_eq!(classes, 2);
    }
    let listed = by(text(&folder.path().join("listed/list.csv")), &[]);
    let labels = ["dataset", "train", "test", "classes"].map(|key| listed["labels"][key].to_string());
    assert_eq!(labels, ["\"manifest\"", "20", "8", "2"]);
    let fewer = by(text(&root), &["--set", "eval.train_samples=9"]);
    assert_eq!(fewer["labels"]["train"], 9);

    let on = |data: &str| refused(&["eval", run, "--on", "knn", "--data", data]);
    assert!(on("digit").starts_with("--data digit: no dataset named `digit` (did you mean `digits`?); "));
    assert!(on("digit").ends_with("nor is there an experiment, a list of photos, a run or a folder of that name"));
    let differ = refused(&["eval", run, text(&of_digits), "--on", "knn"]);
    assert!(differ.ends_with("say with --data which one judges all"), "{differ}");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let found = on(text(&empty));
    assert!(
        found.starts_with(&format!(
            "--data {0}: dataset: {0}/train: there is no ",
            empty.display()
        )),
        "{found}"
    );
}

#[test]
fn a_file_of_weights_is_an_encoder_and_another_programs_prefix_is_known() {
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let run = text(&run);
    let file = folder.path().join("backbone.safetensors");
    fmicl(&["export", run, "--out", text(&file)]);
    let both = judged(&[run, text(&file), "--on", "knn,linear"]);
    for evaluation in ["knn", "linear"] {
        let of = |encoder| accuracy(&both, encoder, evaluation);
        assert_eq!(of("run"), of("backbone.safetensors"));
    }
    // As MoCo writes it, which says nothing of the images.
    let tensors = weights::read(&file).unwrap();
    let below = |prefix: &str, scale: f64| {
        let named = |(name, it): (&String, &Tensor)| (format!("module.{prefix}.{name}"), it * scale);
        tensors.iter().map(named).collect::<Vec<_>>()
    };
    let moco = folder.path().join("moco.safetensors");
    weights::write(
        [below("encoder_q", 1.0), below("encoder_k", 0.5)].into_iter().flatten(),
        &moco,
    )
    .unwrap();
    let args = [
        "eval",
        text(&moco),
        "--on",
        "knn",
        "--data",
        run,
        "--set",
        "views.size=16",
    ];
    let table = fmicl(&args);
    let expected = fmicl(&["eval", run, "--on", "knn"]);
    let rows = |table: &str| {
        table
            .lines()
            .filter(|line| line.starts_with("knn."))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&table), rows(&expected));
    let said = table.lines().last().unwrap();
    assert!(
        said.starts_with("weights: ") && said.contains(" below `module.encoder_q.`"),
        "{said}"
    );
    assert!(
        said.contains("depth = 18") && said.contains("stem = \"cifar\"") && said.contains("width = 4"),
        "{said}"
    );

    let needs = refused(&["eval", text(&moco), "--on", "knn"]);
    assert!(
        needs.ends_with("name a dataset, an experiment, a run or a folder with --data"),
        "{needs}"
    );
    let strange = folder.path().join("strange.safetensors");
    weights::write(
        [("a.b".to_string(), Tensor::zeros([1], (Kind::Float, Device::Cpu)))],
        &strange,
    )
    .unwrap();
    let unknown = refused(&["eval", text(&strange), "--on", "knn", "--data", run]);
    let expected = "has weights of no model that is known (exported, hugging-face, timm, torchvision): a.b";
    assert_eq!(unknown, format!("{}: {expected}", strange.display()));
    std::fs::write(folder.path().join("x.pth"), b"PK\x03\x04 and more of it").unwrap();
    let pickle = refused(&["eval", text(&folder.path().join("x.pth")), "--on", "knn", "--data", run]);
    assert!(pickle.ends_with("convert it with `fmicl convert FILE`"), "{pickle}");
}

#[test]
fn features_that_are_kept_are_taken_again_and_others_are_not() {
    let folder = photos();
    let (_one, run) = run_on(&folder, "", |_| ());
    let kept = folder.path().join("kept");
    let eval = |more: &[&str]| judged(&[&[text(&run), "--keep-features", text(&kept)], more].concat());
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(&kept)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files
    };
    let first = eval(&[]);
    assert_eq!(files().len(), 1);
    assert_eq!(eval(&[]), first);
    assert_eq!(first["reports"], judged(&[text(&run), "--on", "knn,linear"])["reports"]);
    // They are what is judged: of zeros all are of one class.
    let file = files().remove(0);
    let tensors = weights::read(&file).unwrap().into_iter();
    let zeroed = tensors.map(|(name, it)| {
        if name.ends_with("values") {
            (name, it.zeros_like())
        } else {
            (name, it)
        }
    });
    weights::write(zeroed.collect::<Vec<_>>(), &file).unwrap();
    assert_eq!(accuracy(&eval(&["--on", "linear"]), "encoder", "linear"), 50.0);
    // Of another photo of the same name there are none yet.
    let photo = folder.path().join("photos/test/one/0.png");
    std::fs::copy(folder.path().join("photos/test/two/0.png"), &photo).unwrap();
    let before = files();
    assert_eq!(
        eval(&["--on", "knn"])["reports"],
        judged(&[text(&run), "--on", "knn"])["reports"]
    );
    let new: Vec<_> = files().into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(new.len(), 1);
    // Nor of fewer samples.
    assert_eq!(
        eval(&["--on", "knn", "--set", "eval.train_samples=9"])["labels"]["train"],
        9
    );
    assert_eq!(files().len(), 3);
    std::fs::write(&new[0], b"cut").unwrap();
    let broken = refused(&["eval", text(&run), "--keep-features", text(&kept)]);
    assert!(
        broken.starts_with(&format!("{}: is not safetensors", new[0].display())),
        "{broken}"
    );
}
