#![doc = include_str!("../README.md")]

mod figures;
mod pictures;
mod report;
mod views;

#[cfg(test)]
mod tests {
    #[test]
    fn the_verbs_obey_the_laws() {
        for verb in ["figures", "report", "views"] {
            fmicl_runner::testing::check_command(verb);
        }
    }
}
