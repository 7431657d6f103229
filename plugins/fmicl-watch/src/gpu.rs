//! GPUs of this machine, as `nvidia-smi` tells of them, asked beside what is drawn.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Between two questions.
const EVERY: Duration = Duration::from_secs(2);
/// What is asked for, in the order of [`read`].
const QUERY: [&str; 2] = [
    "--query-gpu=index,utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
];

/// A GPU.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// Its number on the machine.
    index: String,
    /// Percent of the time in which it was at work; nothing where it does not tell.
    busy: Option<f64>,
    /// MiB in use, by all processes, and in all.
    memory: Option<[f64; 2]>,
}

impl Gpu {
    /// In a few words.
    pub fn shown(&self) -> String {
        let busy = self.busy.map(|busy| format!(" {busy:.0} %"));
        let memory = self
            .memory
            .map(|[used, all]| format!(" {:.1} of {:.0} GiB", used / 1024.0, all / 1024.0));
        format!(
            "GPU {}{}{}",
            self.index,
            busy.unwrap_or_default(),
            memory.unwrap_or_default()
        )
    }
}

/// The GPUs of this machine; none where there is no `nvidia-smi`.
#[derive(Debug, Default)]
pub struct Gpus {
    found: Vec<Gpu>,
    /// A question without its answer so far.
    asked: Option<Receiver<Option<Vec<Gpu>>>>,
    /// When the last one was asked.
    then: Option<Instant>,
    /// Whether there is nobody to ask.
    are_missing: bool,
}

impl Gpus {
    /// Takes the answer if it has come within `patience`, and asks again when it is time.
    pub fn update(&mut self, patience: Duration) {
        if self.are_missing {
            return;
        }
        if self.asked.is_none() && self.then.is_none_or(|then| then.elapsed() >= EVERY) {
            let (sender, receiver) = channel();
            let asking = std::thread::Builder::new().name("fmicl-gpus".into());
            // Nobody may wait for the answer any more.
            let asked = asking.spawn(move || drop(sender.send(ask())));
            (self.asked, self.then) = (asked.is_ok().then_some(receiver), Some(Instant::now()));
        }
        if let Some(asked) = &self.asked
            && let Ok(answer) = asked.recv_timeout(patience)
        {
            self.are_missing = answer.is_none();
            self.found = answer.unwrap_or_default();
            self.asked = None;
        }
    }

    /// Those of the last answer.
    pub fn found(&self) -> &[Gpu] {
        &self.found
    }
}

/// What the program tells; nothing where it is not there or fails.
fn ask() -> Option<Vec<Gpu>> {
    let mut command = Command::new("nvidia-smi");
    let output = command
        .args(QUERY)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| read(&String::from_utf8_lossy(&output.stdout)))
}

/// The GPUs of its lines; a field that is no number, such as `[N/A]`, is nothing, and a line of other fields is left out.
fn read(text: &str) -> Vec<Gpu> {
    let gpu = |line: &str| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [index, busy, used, all] = fields[..] else {
            return None;
        };
        let number = |field: &str| {
            field
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite() && *value >= 0.0)
        };
        index.parse::<u32>().ok()?;
        Some(Gpu {
            index: index.into(),
            busy: number(busy),
            memory: number(used).zip(number(all)).map(|(used, all)| [used, all]),
        })
    };
    text.lines().filter_map(gpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read_field_by_field() {
        let text = "0, 87, 10445, 81559\r\n1, [N/A], 0, 81559\n2, 3, [Not Supported], 16384\n\nNo devices were found\n9, 1, 2\n";
        let shown: Vec<String> = read(text).iter().map(Gpu::shown).collect();
        assert_eq!(shown, ["GPU 0 87 % 10.2 of 80 GiB", "GPU 1 0.0 of 80 GiB", "GPU 2 3 %"]);
        assert!(read("").is_empty() && read("0, 1e999, nan, -1\u{1b}[2J\n")[0].shown() == "GPU 0");
        assert!(read("\u{1b}[2J, 1, 2, 3\n").is_empty());
    }

    #[test]
    fn an_answer_is_taken_when_it_has_come() {
        let (sender, receiver) = channel();
        let mut gpus = Gpus {
            asked: Some(receiver),
            then: Some(Instant::now()),
            ..Gpus::default()
        };
        gpus.update(Duration::ZERO);
        assert!(gpus.found().is_empty() && gpus.asked.is_some());
        sender.send(Some(read("0, 50, 1024, 2048\n"))).unwrap();
        gpus.update(Duration::ZERO);
        assert_eq!(gpus.found()[0].shown(), "GPU 0 50 % 1.0 of 2 GiB");
        // Where there is nobody to ask, nobody is asked again.
        let (sender, receiver) = channel();
        gpus.asked = Some(receiver);
        sender.send(None).unwrap();
        gpus.update(Duration::ZERO);
        gpus.then = None;
        gpus.update(Duration::ZERO);
        assert!(gpus.found().is_empty() && gpus.asked.is_none());
    }
}
