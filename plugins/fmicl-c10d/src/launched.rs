//! Rank, world size and address of the store, from the launcher's environment variables.
//!
//! torchrun: `RANK`, `LOCAL_RANK`, `LOCAL_WORLD_SIZE`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`, and `TORCHELASTIC_*`; its agent keeps the
//! store. srun: `SLURM_PROCID`, `SLURM_LOCALID`, `SLURM_STEP_NUM_TASKS`, `SLURM_STEP_TASKS_PER_NODE`, `SLURM_STEP_NODELIST`, `SLURM_JOB_ID`; rank 0
//! keeps the store, on the job's first node.

use fmicl_core::{Error, Result};
use std::net::ToSocketAddrs;
use std::str::FromStr;

/// Rank of a process, and the address of its group's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// Rank, from 0 to `size - 1`.
    pub rank: usize,
    /// Local rank: index on its machine, from 0.
    pub local_rank: usize,
    /// Number of processes on its machine (local world size).
    pub local_size: usize,
    /// World size, at least 1.
    pub size: usize,
    /// Host of the store.
    pub host: String,
    /// Port of the store.
    pub port: u16,
    /// Host process of the store.
    pub agent: Agent,
    /// Number of the restart: a store that outlives the processes must not mix up their keys.
    pub start: String,
}

/// Host process of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// The launcher.
    Launcher,
    /// Rank 0.
    FirstRank,
}

impl Launched {
    /// Reads the environment; `None` if no launcher has started this process.
    ///
    /// # Errors
    /// [`Error`] if a variable of the launcher is missing or invalid.
    pub fn by_environment() -> Result<Option<Self>> {
        Launched::by(|name| std::env::var(name).ok())
    }

    /// Reads any environment like [`Launched::by_environment`].
    ///
    /// # Errors
    /// Errors of [`Launched::by_environment`].
    pub fn by(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let read = Environment { variable: &variable };
        let launched = if variable("RANK").is_some() {
            read.torchrun()?
        } else if variable("SLURM_STEP_NUM_TASKS").is_some() {
            read.srun()?
        } else {
            return Ok(None);
        };
        let Launched { rank, size, .. } = launched;
        if rank >= size {
            return Err(Error::Run(format!(
                "rank {rank} of {size} processes: ranks count from 0"
            )));
        }
        Ok(Some(launched))
    }

    /// Checks that the store's host has an address: c10d would look for one until its timeout.
    ///
    /// # Errors
    /// [`Error`] if the system cannot resolve the name.
    pub fn require_host(&self) -> Result<()> {
        let found = (&*self.host, self.port).to_socket_addrs();
        found.map(drop).map_err(|error| {
            Error::Run(format!(
                "`{}`, where rank {} joins the others, has no address: {error}; set MASTER_ADDR to another host",
                self.host, self.rank
            ))
        })
    }
}

struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Environment<'_> {
    fn torchrun(&self) -> Result<Launched> {
        let agent = match (self.variable)("TORCHELASTIC_USE_AGENT_STORE").as_deref() {
            Some("True") => Agent::Launcher,
            _ => Agent::FirstRank,
        };
        let (rank, size) = (self.number("RANK")?, self.number("WORLD_SIZE")?);
        Ok(Launched {
            rank,
            local_rank: self.number_or("LOCAL_RANK", rank)?,
            local_size: self.number_or("LOCAL_WORLD_SIZE", size)?,
            size,
            host: self.text("MASTER_ADDR")?,
            port: self.number("MASTER_PORT")?,
            agent,
            start: self.number_or("TORCHELASTIC_RESTART_COUNT", 0u64)?.to_string(),
        })
    }

    fn srun(&self) -> Result<Launched> {
        let job: u64 = self.number("SLURM_JOB_ID")?;
        let host = match (self.variable)("MASTER_ADDR") {
            Some(host) => host,
            None => first_of(&self.text("SLURM_STEP_NODELIST")?),
        };
        let size = self.number("SLURM_STEP_NUM_TASKS")?;
        Ok(Launched {
            rank: self.number("SLURM_PROCID")?,
            local_rank: self.number("SLURM_LOCALID")?,
            local_size: (self.variable)("SLURM_STEP_TASKS_PER_NODE").map_or(size, |tasks| most_of(&tasks, size)),
            size,
            host,
            // Jobs that share a node must not meet; below the ports that systems give away by themselves.
            port: self.number_or("MASTER_PORT", 15_000 + (job % 15_000) as u16)?,
            agent: Agent::FirstRank,
            start: (self.variable)("SLURM_STEP_ID").unwrap_or_default(),
        })
    }

    fn text(&self, name: &str) -> Result<String> {
        let missing = || Error::Run(format!("{name} is not set: start under torchrun or srun, which set it"));
        (self.variable)(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(missing)
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T> {
        let text = self.text(name)?;
        text.parse()
            .map_err(|_| Error::Run(format!("{name} is `{text}`, which is not a valid number")))
    }

    fn number_or<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        match (self.variable)(name) {
            Some(_) => self.number(name),
            None => Ok(default),
        }
    }
}

/// The first host of Slurm's list: of `node[03-07,12],login1` it is `node03`.
fn first_of(list: &str) -> String {
    let (before, after) = list.split_at(list.find(['[', ',']).unwrap_or(list.len()));
    let Some(numbers) = after.strip_prefix('[') else {
        return before.to_string();
    };
    let first = &numbers[..numbers.find(['-', ',', ']']).unwrap_or(numbers.len())];
    // What follows the bracket belongs to the name, up to the next host.
    let rest = numbers.split_once(']').map_or("", |(_, rest)| rest);
    let rest = &rest[..rest.find(',').unwrap_or(rest.len())];
    format!("{before}{first}{rest}")
}

/// The most tasks of a node, of Slurm's list for all nodes: of `4(x2),3` it is 4; `size` where the list is none.
fn most_of(tasks: &str, size: usize) -> usize {
    let numbers = tasks.split(',').map(|of| of.split('(').next()?.trim().parse().ok());
    numbers.max().flatten().unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(variables: &[(&str, &str)]) -> Result<Option<Launched>> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
        Launched::by(|name| find(name).map(|(_, value)| value.to_string()))
    }

    const TORCHRUN: [(&str, &str); 7] = [
        ("RANK", "3"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "2"),
        ("WORLD_SIZE", "4"),
        ("MASTER_ADDR", "10.0.0.1"),
        ("MASTER_PORT", "29500"),
        ("TORCHELASTIC_USE_AGENT_STORE", "True"),
    ];

    #[test]
    fn torchrun_says_all() {
        let launched = by(&TORCHRUN).unwrap().unwrap();
        let expected = Launched {
            rank: 3,
            local_rank: 1,
            local_size: 2,
            size: 4,
            host: "10.0.0.1".into(),
            port: 29_500,
            agent: Agent::Launcher,
            start: "0".into(),
        };
        assert_eq!(launched, expected);
    }

    #[test]
    fn srun_says_all_but_the_port() {
        let slurm = [
            ("SLURM_PROCID", "5"),
            ("SLURM_LOCALID", "1"),
            ("SLURM_STEP_NUM_TASKS", "8"),
            ("SLURM_STEP_TASKS_PER_NODE", "2(x3),1(x2)"),
            ("SLURM_STEP_NODELIST", "gpu[07-09,12]"),
            ("SLURM_JOB_ID", "1234567"),
            ("SLURM_STEP_ID", "2"),
        ];
        let launched = by(&slurm).unwrap().unwrap();
        let expected = Launched {
            rank: 5,
            local_rank: 1,
            local_size: 2,
            size: 8,
            host: "gpu07".into(),
            port: 15_000 + 1_234_567_u64.rem_euclid(15_000) as u16,
            agent: Agent::FirstRank,
            start: "2".into(),
        };
        assert_eq!(launched, expected);
    }

    #[test]
    fn a_process_of_no_launcher_is_alone() {
        assert_eq!(by(&[]).unwrap(), None);
        // A batch script of Slurm has the job's variables, and no step of its own.
        assert_eq!(by(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]).unwrap(), None);
    }

    #[test]
    fn the_first_host_of_a_list_is_found() {
        for (list, first) in [
            ("n1", "n1"),
            ("n1,n2", "n1"),
            ("n[1-3]", "n1"),
            ("a[007,9]-ib,b", "a007-ib"),
            ("a,b[1-2]", "a"),
        ] {
            assert_eq!(first_of(list), first, "{list}");
        }
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_named() {
        let without = |name: &str| TORCHRUN.into_iter().filter(|(key, _)| *key != name).collect::<Vec<_>>();
        let message = by(&without("MASTER_ADDR")).unwrap_err().to_string();
        assert_eq!(
            message,
            "MASTER_ADDR is not set: start under torchrun or srun, which set it"
        );
        let with = |name: &'static str, value: &'static str| {
            let mut all = without(name);
            all.push((name, value));
            by(&all).unwrap_err().to_string()
        };
        assert_eq!(
            with("WORLD_SIZE", "four"),
            "WORLD_SIZE is `four`, which is not a valid number"
        );
        assert_eq!(with("RANK", "4"), "rank 4 of 4 processes: ranks count from 0");
    }
}
