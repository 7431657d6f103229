//! Identification of the process that has failed.
//!
//! A process that stops writes its reason to the store, or that a call to others has failed. A process that writes
//! nothing within some seconds has died or hangs, and is named in the error.

use crate::group::Group;
use fmicl_core::Result;
use std::time::{Duration, Instant};

/// Reason of a process that stops because a call to others has failed.
const LET_DOWN: &str = "let down";

/// Store, rank and timeouts needed to find it.
#[derive(Debug)]
pub struct Blame {
    pub rank: usize,
    pub size: usize,
    /// `true` if this process hosts the store.
    pub serves: bool,
    /// Time to wait for an answer.
    pub patience: Duration,
}

impl Blame {
    /// Tells the others that this process stops, and the reason; then closes its connections, so that they notice.
    pub fn leave(&self, group: &Group, why: &str) {
        let told = group.set(
            &left(group, self.rank),
            why.lines().next().unwrap_or("without giving a reason"),
        );
        group.leave();
        if told.is_ok() && self.serves {
            // The store goes with this process; the others have to read it before.
            let _ = self.answers(group, known);
        }
        let _ = group.set(&known(group, self.rank), "yes");
    }

    /// One-line reason of a call that failed with `error`.
    pub fn find(&self, group: &Group, error: &str) -> String {
        match self.ask(group) {
            Ok(Some(why)) => why,
            Ok(None) => format!("the processes have lost each other: {error}"),
            Err(_) => format!("the process that holds the store has stopped: rank 0, or the launcher ({error})"),
        }
    }

    fn ask(&self, group: &Group) -> Result<Option<String>> {
        group.set(&left(group, self.rank), LET_DOWN)?;
        group.leave();
        let answers = self.answers(group, left)?;
        group.set(&known(group, self.rank), "yes")?;
        if self.serves {
            let _ = self.answers(group, known);
        }
        let of_its_own = answers.iter().find_map(|(rank, answer)| {
            let why = answer.as_deref().filter(|why| *why != LET_DOWN)?;
            Some(format!("rank {rank} has stopped: {why}"))
        });
        let silent: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_none()).collect();
        let ranks = silent
            .iter()
            .map(|(rank, _)| rank.to_string())
            .collect::<Vec<_>>()
            .join(", ");
        Ok(of_its_own.or_else(|| match silent.len() {
            0 => None,
            1 => Some(format!("rank {ranks} does not answer: it has died or hangs")),
            _ => Some(format!("ranks {ranks} do not answer: they have died or hang")),
        }))
    }

    /// Values that the other processes have written under their keys, all within `patience`.
    fn answers(&self, group: &Group, key: fn(&Group, usize) -> String) -> Result<Vec<(usize, Option<String>)>> {
        let deadline = Instant::now() + self.patience;
        let others = (0..self.size).filter(|rank| *rank != self.rank);
        let ask = |rank| {
            let left = deadline.saturating_duration_since(Instant::now());
            Ok((rank, group.get(&key(group, rank), left)?))
        };
        others.map(ask).collect()
    }
}

/// Key of a process's reason for leaving.
fn left(group: &Group, rank: usize) -> String {
    format!("left/{}/{rank}", group.meeting())
}

/// Key under which a process writes that it knows the failed one.
fn known(group: &Group, rank: usize) -> String {
    format!("known/{}/{rank}", group.meeting())
}
