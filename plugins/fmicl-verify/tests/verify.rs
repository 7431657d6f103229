//! The paper's claims. In a process of its own: they draw from libtorch's one generator.

use fmicl_baselines as _;

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

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("verify");
}
