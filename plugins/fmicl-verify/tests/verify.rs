//! The paper's claims. In a process of its own: they draw from libtorch's one generator.

use fmicl_baselines as _;
use fmicl_core::{Divergence, registry};

#[test]
fn every_claim_holds() {
    let claims = fmicl_verify::claims().unwrap();
    let broken: Vec<String> = claims.iter().filter(|c| !c.holds).map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(
        claims.iter().any(|claim| claim.of == "vlc"),
        "the registry's divergences are among them"
    );
}

/// [`every_claim_holds`] has that it is true.
#[test]
fn the_listing_says_of_every_divergence_if_the_uniformity_theorem_covers_it() {
    for listing in registry::list::<dyn Divergence>() {
        let says = ["; covered", "; not covered"].map(|how| format!("{how} by the uniformity theorem"));
        let summary = listing.summary;
        assert!(
            says.iter().any(|ending| summary.ends_with(ending)),
            "{}: {summary}",
            listing.name
        );
    }
}

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("verify");
}
