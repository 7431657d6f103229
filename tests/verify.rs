//! The paper's claims. In a process of its own: they draw from libtorch's one generator.

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

#[test]
fn every_claim_holds() {
    let claims = fmicl_runner::verify::claims().unwrap();
    let broken: Vec<String> = claims.iter().filter(|c| !c.holds).map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(
        claims.iter().any(|claim| claim.of == "vlc"),
        "the registry's divergences are among them"
    );
}
