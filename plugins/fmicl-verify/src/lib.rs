#![doc = include_str!("../README.md")]

mod claim;
mod convexity;
mod infonce;
mod known;
mod shift;
mod special_cases;
mod sphere;
mod uniform;
mod weighting;

pub use claim::Claim;

use clap::Args;
use fmicl_core::registry::{self, Listing};
use fmicl_core::{Divergence, Error, Part, Result};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::wrap;
use std::io::Write;

/// Every claim with what was computed, in some seconds on a CPU; the same numbers each time.
///
/// # Errors
/// A registered part that cannot be built without options.
pub fn claims() -> Result<Vec<Claim>> {
    let mut claims = vec![infonce::bounds_kl()?];
    claims.extend(special_cases::alignment_and_uniformity()?);
    claims.push(shift::alignment_and_uniformity()?);
    claims.push(special_cases::spectral()?);
    claims.extend(uniform::claims());
    claims.extend(known::claims()?);
    for Listing { name, summary, .. } in registry::list::<dyn Divergence>() {
        let divergence = Part::<dyn Divergence>::new(name, toml::Table::new())?;
        claims.push(convexity::claim(name, summary, &*divergence));
        claims.push(weighting::claim(name, &*divergence));
        claims.push(shift::normalises(name, &*divergence)?);
        if convexity::is_covered(&*divergence) {
            claims.extend(sphere::spreads(name)?);
        }
    }
    Ok(claims)
}

#[derive(Debug, Args)]
struct Verify {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fmicl_runner::command!(
    "verify",
    Verify,
    Group::Evaluate,
    "Compute what the paper claims, with every registered divergence"
);

impl Command for Verify {
    fn run(self) -> Outcome {
        print(self.json)
    }
}

/// Prints the claims as a table, or as JSON.
///
/// # Errors
/// A claim that does not hold.
fn print(json: bool) -> Outcome {
    let claims = claims()?;
    if json {
        writeln!(
            std::io::stdout(),
            "{}",
            serde_json::to_string_pretty(&claims).map_err(std::io::Error::from)?
        )?;
    } else {
        let lines: String = claims.iter().map(|claim| format!("{claim}\n")).collect();
        wrap::print(&lines, Claim::INDENT)?;
    }
    match claims.iter().filter(|claim| !claim.holds).count() {
        0 => Ok(()),
        broken => Err(Error::Run(format!("{broken} of {} claims do not hold", claims.len())).into()),
    }
}
