#![doc = include_str!("../README.md")]

mod convert;
mod embed;
mod export;
mod features;
pub mod pickle;

#[cfg(test)]
mod tests {
    #[test]
    fn the_verbs_obey_the_laws() {
        for verb in ["convert", "embed", "export", "features"] {
            fmicl_runner::testing::check_command(verb);
        }
    }
}
