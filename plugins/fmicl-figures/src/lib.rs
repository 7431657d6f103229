#![doc = include_str!("../README.md")]

mod assumption_2;
mod curves;
mod distances;
mod figure;
mod figures;
mod fit;
mod histograms;
mod pairs;
mod plot;

#[cfg(test)]
mod tests {
    #[test]
    fn the_verb_obeys_the_laws() {
        fmicl_runner::testing::check_command("figures");
    }
}
