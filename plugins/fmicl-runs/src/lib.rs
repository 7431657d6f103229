#![doc = include_str!("../README.md")]

mod columns;
mod diff;
mod files;
mod filter;
mod keys;
mod metrics;
mod row;
mod runs;
mod sides;
mod sweep;
mod table;

#[cfg(test)]
mod tests {
    #[test]
    fn the_verbs_obey_the_laws() {
        fmicl_runner::testing::check_command("runs");
        fmicl_runner::testing::check_command("diff");
    }
}
