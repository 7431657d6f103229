//! A claim and what was computed for it.

use serde::Serialize;
use std::fmt;

/// A claim and what was computed for it.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// The parts that it is about.
    pub of: String,
    /// What should be true.
    pub claim: String,
    /// The number that was computed.
    pub computed: f64,
    /// What the number may be at most.
    pub at_most: f64,
    /// Whether it is.
    pub holds: bool,
}

impl Claim {
    /// Where the claim begins in its line.
    pub(super) const INDENT: usize = 22;

    /// A claim that holds where `computed` is at most `at_most`; a NaN never is.
    pub fn at_most(of: &str, claim: impl Into<String>, computed: f64, at_most: f64) -> Self {
        Claim {
            of: of.to_string(),
            claim: claim.into(),
            computed,
            at_most,
            holds: computed <= at_most,
        }
    }
}

impl Claim {
    /// A fact about a part that the claims of others depend on; it holds.
    pub fn known(of: &str, claim: impl Into<String>, computed: f64) -> Self {
        Claim::at_most(of, claim, computed, f64::INFINITY)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let state = if self.holds { "holds " } else { "BROKEN" };
        let (of, claim) = (&self.of, &self.claim);
        write!(f, "{state} {of:14} {claim}: {:.3e}", self.computed)?;
        match self.at_most.is_finite() {
            true => write!(f, " (at most {:.0e})", self.at_most),
            false => Ok(()),
        }
    }
}
