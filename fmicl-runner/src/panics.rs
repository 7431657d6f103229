//! A panic as one line: what a user sees of a fault in the program, or of libtorch refusing a shape.

use crate::log;
use fmicl_core::panics::{is_quiet, message};
use std::panic::{PanicHookInfo, set_hook, take_hook};

/// From now on a panic prints `error: internal: ...` in one line; with `RUST_BACKTRACE` set, also the backtrace.
pub fn install() {
    let default = take_hook();
    set_hook(Box::new(move |info| {
        if is_quiet() {
            return;
        }
        log::end("error: ", &format!("internal: {}", describe(info)));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            default(info);
        }
    }));
}

fn describe(info: &PanicHookInfo) -> String {
    match info.location() {
        Some(place) => format!("{} ({}:{})", message(info.payload()), place.file(), place.line()),
        None => message(info.payload()),
    }
}
