//! A process that dies, hangs, stops or differs: the others stop in time, with one line that names it.

use crate::common;
use fmicl_core::tch::{Device, Kind, Tensor, nn};
use fmicl_core::{Engine, Parameters, Part, Processes};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Seconds: on a busy machine a process needs some of them to say that it was let down.
const TIMEOUT: f64 = 16.0;
const SIZE: usize = 3;

fn join() -> Rc<dyn Processes> {
    join_with(TIMEOUT)
}

/// An answer is waited for a quarter of the timeout, 10 s at most.
fn join_with(timeout: f64) -> Rc<dyn Processes> {
    let options = toml::Table::from_iter([("timeout".to_string(), timeout.into())]);
    let engine = Part::<dyn Engine>::new("c10d", options).unwrap();
    engine.join(Device::Cpu).unwrap()
}

/// Starts the test of that name in three processes, where `faulty` does `fault` in their third call and the others must
/// find `expected`.
fn check(test: &str, faulty: usize, fault: impl Fn(&dyn Processes), expected: &str) {
    if common::rank().is_none() {
        let outputs = common::finish(common::start(test, SIZE));
        for (rank, output) in outputs.iter().enumerate().filter(|(rank, _)| *rank != faulty) {
            assert!(output.status.success(), "rank {rank}: {output:?}");
            // Nothing beside the error: no stack of libtorch's.
            assert_eq!(common::stderr(output), "", "rank {rank}");
        }
        return;
    }
    let processes = join();
    let mut number = Tensor::from(1i64);
    for _ in 0..2 {
        processes.all_reduce(&mut number).unwrap();
    }
    assert_eq!(number.int64_value(&[]), 9);
    if processes.rank() == faulty {
        fault(&*processes);
        std::process::exit(0);
    }
    let started = Instant::now();
    let message = processes.all_reduce(&mut number).unwrap_err().to_string();
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    // On a busy machine a second is soon gone.
    let limit = Duration::from_secs_f64(TIMEOUT + 5.0);
    assert!(started.elapsed() < limit, "it took {:?}", started.elapsed());
    assert!(processes.wait().is_err(), "no other call works");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_process_that_dies_is_named() {
    let test = "failures::a_process_that_dies_is_named";
    check(
        test,
        1,
        |_| std::process::abort(),
        "rank 1 does not answer: it has died or hangs",
    );
}

/// As with synchronised norms: the backward pass calls the others when the sum of a gradient has begun.
#[test]
#[ignore = "gloo may spin in the process that has no connection to the dead one, until the timeout: then both are named"]
fn a_process_that_dies_in_a_backward_pass_is_named_alone() {
    let test = "failures::a_process_that_dies_in_a_backward_pass_is_named_alone";
    if common::rank().is_none() {
        let outputs = common::finish(common::start(test, 4));
        for (rank, output) in outputs.iter().enumerate().filter(|(rank, _)| *rank != 1) {
            assert!(output.status.success(), "rank {rank}: {output:?}");
        }
        return;
    }
    // On a busy machine the others take some seconds to be through with the sum that had begun.
    let processes = join_with(60.0);
    let store = nn::VarStore::new(Device::Cpu);
    // Each a bucket of its own.
    let [first, last] = ["a", "b"].map(|name| store.root().var(name, &[3 << 20], nn::Init::Const(1.0)));
    let parameters = Parameters::new(&store);
    let sums = processes.clone().overlap(&parameters).unwrap().unwrap();
    let loss = (processes.sum(&first).unwrap() * &last).sum(Kind::Float);
    processes.wait().unwrap();
    if processes.rank() == 1 {
        std::process::abort();
    }
    sums.begin();
    assert!(loss.f_backward().is_err());
    // Who has no connection to rank 1 notices that others have left, which the sum that has begun must not hold up.
    let message = processes.wait().unwrap_err().to_string();
    assert_eq!(message, "rank 1 does not answer: it has died or hangs");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_process_that_hangs_is_named_in_time() {
    let hang = |_: &dyn Processes| std::thread::sleep(Duration::from_secs_f64(TIMEOUT + 6.0));
    let test = "failures::a_process_that_hangs_is_named_in_time";
    check(test, 2, hang, "rank 2 does not answer: it has died or hangs");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_process_that_stops_says_why() {
    let stop = |processes: &dyn Processes| processes.leave("the disk is full\nand more");
    check(
        "failures::a_process_that_stops_says_why",
        1,
        stop,
        "rank 1 has stopped: the disk is full",
    );
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn the_process_that_keeps_the_store_says_why_it_stops() {
    let stop = |processes: &dyn Processes| processes.leave("a NaN");
    let test = "failures::the_process_that_keeps_the_store_says_why_it_stops";
    check(test, 0, stop, "rank 0 has stopped: a NaN");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn the_process_that_keeps_the_store_dies() {
    let test = "failures::the_process_that_keeps_the_store_dies";
    check(
        test,
        0,
        |_| std::process::abort(),
        "the store is gone, and who keeps it: rank 0",
    );
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn what_differs_is_refused_by_all() {
    if common::rank().is_none() {
        return common::pass_in("failures::what_differs_is_refused_by_all", SIZE);
    }
    let processes = join();
    processes.require_same("the config", "seed = 1\nlr = 2").unwrap();
    let own = if processes.rank() == 1 {
        "seed = 1\nlr = 30\nmore"
    } else {
        "seed = 1\nlr = 2"
    };
    let message = processes.require_same("the config", own).unwrap_err().to_string();
    let expected = "the config of rank 1 is not that of rank 0: `lr = 30` and `lr = 2`; start all processes alike";
    assert_eq!(message, expected);
    processes.wait().unwrap();
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn who_does_not_come_is_waited_for_no_longer_than_allowed() {
    if common::rank().is_none() {
        let test = "failures::who_does_not_come_is_waited_for_no_longer_than_allowed";
        let mut processes = common::start(test, SIZE);
        let mut late = processes.remove(2);
        late.kill().unwrap();
        late.wait().unwrap();
        for output in common::finish(processes) {
            assert!(output.status.success(), "{output:?}");
        }
        return;
    }
    let options = toml::Table::from_iter([("timeout".to_string(), TIMEOUT.into())]);
    let engine = Part::<dyn Engine>::new("c10d", options).unwrap();
    let started = Instant::now();
    let message = engine.join(Device::Cpu).unwrap_err().to_string();
    assert!(message.contains("has not met the others at 127.0.0.1:"), "{message}");
    assert!(started.elapsed() < Duration::from_secs_f64(TIMEOUT + 5.0));
}
