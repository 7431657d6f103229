//! Two hosts on one machine: network namespaces with a link of 1 Gbit/s between them, which is cut.

use crate::common;
use crate::training::{Run, assert_close, errors, metrics, said, train};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Two namespaces and their link, `10.77.0.1` and `10.77.0.2`; taken away in the end.
struct Hosts {
    names: [String; 2],
}

fn run(words: &str) -> Result<(), String> {
    let mut command = words.split(' ');
    let output = Command::new(command.next().unwrap_or_default()).args(command).output();
    let output = output.map_err(|error| format!("{words}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{words}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Hosts {
    fn new() -> Result<Self, String> {
        let names = [1, 2].map(|host| format!("fmicl-{}-{host}", std::process::id()));
        let hosts = Hosts { names };
        let [one, two] = &hosts.names;
        for name in &hosts.names {
            run(&format!("ip netns add {name}"))?;
            run(&format!("ip -n {name} link set lo up"))?;
        }
        run(&format!(
            "ip -n {one} link add wire type veth peer name wire netns {two}"
        ))?;
        for (host, name) in (1..).zip(&hosts.names) {
            run(&format!("ip -n {name} addr add 10.77.0.{host}/24 dev wire"))?;
            run(&format!("ip -n {name} link set wire up"))?;
            let shape = |how: &str| run(&format!("ip netns exec {name} tc qdisc add dev wire root {how}"));
            if shape("netem rate 1gbit delay 5ms").is_err() {
                eprintln!("NOT RUN with 5 ms: this kernel has no netem");
                shape("tbf rate 1gbit burst 128kb latency 50ms")?;
            }
        }
        Ok(hosts)
    }

    /// A process of that rank on a host of its own.
    fn start(&self, test: &str, rank: usize, run: &Run) -> Child {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.names[rank]])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .envs([("RANK", rank), ("LOCAL_RANK", 0), ("WORLD_SIZE", 2)].map(|(key, value)| (key, value.to_string())))
            .envs([
                ("MASTER_ADDR", "10.77.0.1"),
                ("MASTER_PORT", "29500"),
                ("OMP_NUM_THREADS", "1"),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        run.set(rank, 2, &mut command);
        command.spawn().unwrap()
    }

    fn start_all(&self, test: &str, run: &Run) -> Vec<Child> {
        [0, 1].map(|rank| self.start(test, rank, run)).into()
    }

    fn cut(&self) {
        run(&format!("ip -n {} link set wire down", self.names[0])).unwrap();
    }

    fn mend(&self) {
        run(&format!("ip -n {} link set wire up", self.names[0])).unwrap();
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = run(&format!("ip netns del {name}"));
        }
    }
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn two_hosts_train_as_one_and_stop_where_their_link_is_cut() {
    let test = "namespaces::two_hosts_train_as_one_and_stop_where_their_link_is_cut";
    if common::rank().is_some() {
        return train();
    }
    let hosts = match Hosts::new() {
        Ok(hosts) => hosts,
        Err(why) => return eprintln!("NOT RUN: it takes root, iproute2 and network namespaces; {why}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let [one, two, cut] = ["one", "two", "cut"].map(|name| folder.path().join(name));
    Run::new(&one).succeed(test, 1);
    for said in said(hosts.start_all(test, &Run::new(&two))) {
        assert!(errors(&said).is_empty(), "{said}");
    }
    assert_close(&two, &one);

    let endless = Run {
        sets: &["train.epochs=5000", "train.warmup_epochs=1"],
        ..Run::new(&cut)
    };
    let processes = hosts.start_all(test, &endless);
    let begun = Instant::now();
    while !has_lines(&cut, 2) {
        assert!(begun.elapsed() < Duration::from_secs(60), "no two epochs in a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
    hosts.cut();
    let begun = Instant::now();
    let said = said(processes);
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "it took {:?}",
        begun.elapsed()
    );
    assert_eq!(
        errors(&said[0]),
        ["rank 1 does not answer: it has died or hangs"],
        "{said:?}"
    );
    let of_the_other = errors(&said[1]);
    assert!(
        of_the_other.len() == 1 && of_the_other[0].starts_with("the process that holds the store has stopped: rank 0"),
        "{said:?}"
    );
    // The checkpoint is whole, and the run goes on from it.
    hosts.mend();
    let epochs = metrics(&cut).len() as u64;
    let again = Run {
        stop_after: Some(3 * epochs + 6),
        ..endless
    };
    let said = crate::training::said(hosts.start_all(test, &again));
    assert!(said.iter().all(|said| errors(said).is_empty()), "{said:?}");
    assert!(
        said[0].contains("resumes after step") && !said[0].contains("damaged"),
        "{said:?}"
    );
}

fn has_lines(run: &Path, count: usize) -> bool {
    std::fs::read_to_string(run.join("metrics.jsonl")).is_ok_and(|text| text.lines().count() >= count)
}
