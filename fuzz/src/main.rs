//! libFuzzer on one target: `FMICL_FUZZ=TARGET fuzz [CORPUS...]`, as `scripts/fuzz` runs it.
//!
//! `FMICL_FUZZ=list` prints the targets; `FMICL_FUZZ_SEEDS=DIR` writes the target's own inputs there, and ends.

#![no_main]

use fmicl_core::panics::is_quiet;
use fmicl_fuzz::{Target, targets};
use std::cell::OnceCell;
use std::path::PathBuf;

thread_local! {
    /// libFuzzer stays on one thread.
    static TARGET: OnceCell<Target> = const { OnceCell::new() };
}

fn open() -> Target {
    let name = std::env::var("FMICL_FUZZ").unwrap_or_default();
    let mut all = targets::all();
    if name == "list" {
        all.iter().for_each(|(name, _)| println!("{name}"));
        std::process::exit(0);
    }
    let Some(found) = all.iter().position(|(known, _)| *known == name) else {
        eprintln!("FMICL_FUZZ={name}: no such target; FMICL_FUZZ=list prints them");
        std::process::exit(2);
    };
    let target = all.swap_remove(found).1();
    if let Some(folder) = std::env::var_os("FMICL_FUZZ_SEEDS").map(PathBuf::from) {
        for (index, input) in target.inputs().iter().enumerate() {
            let path = folder.join(format!("seed-{index:03}"));
            if let Err(error) = std::fs::write(&path, input) {
                eprintln!("{}: {error}", path.display());
                std::process::exit(1);
            }
        }
        std::process::exit(0);
    }
    target
}

/// libFuzzer's hook ends the process at every panic. One that the program makes an error of, as of a crate that takes a file on
/// trust, is not its fault.
fn let_quiet_panics_be() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_quiet() {
            hook(info);
        }
    }));
}

libfuzzer_sys::fuzz_target!(
    init: {
        let_quiet_panics_be();
        TARGET.with(|target| {
            let _ = target.set(open());
        });
    },
    |input: &[u8]| TARGET.with(|target| target.get_or_init(open).run(input))
);
