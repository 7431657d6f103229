//! The binary `fmicl`: this repository's own parts and the command line.

fn main() -> std::process::ExitCode {
    fmicl_runner::cli()
}
