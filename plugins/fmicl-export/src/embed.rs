//! `fmicl embed`: vectors of whatever a trained encoder reads, a line each.

use clap::Args;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result, normalize, weights};
use fmicl_data::{OnError, Unreadable};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::eval::{self, Origin, Subject};
use fmicl_runner::run::CheckpointChoice;
use fmicl_runner::{DeviceChoice, out};
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Lines, and about how many bytes, that are encoded before the next are read: enough for batches of like length, little
/// enough for any memory.
const AT_A_TIME: (usize, usize) = (8192, 64 << 20);
/// The most bytes of a line.
const LONGEST: usize = 1 << 20;

#[derive(Debug, Args)]
struct Embed {
    /// A run directory that `train` wrote, or published weights, a folder or a file
    path: PathBuf,
    /// Write FILE.npy or FILE.safetensors (`features`) instead of text
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Scale every vector to length 1
    #[arg(long)]
    normalize: bool,
    /// Change an option of a folder's parts, such as backbone.pooling=cls; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Which of a run's checkpoints: last, best (in its online evaluation), step-N, or a path
    #[arg(long, value_name = "CHECKPOINT", default_value = "last")]
    checkpoint: CheckpointChoice,
    /// auto, cpu or cuda:N
    #[arg(long)]
    device: Option<DeviceChoice>,
}

fmicl_runner::command!(
    "embed",
    Embed,
    Group::Use,
    "Write a vector for each line of stdin: sentences, or paths of images"
);

impl Command for Embed {
    fn run(self) -> Outcome {
        embed(&self)
    }
}

/// Reads lines from stdin (sentences, or paths of images) and writes a vector for each, in their order: to stdout as
/// numbers with tabs between, or to a file.
///
/// The vector of an image that cannot be read is of NaN, so that rows stay those of the lines; each is named, and at the end
/// the command fails. Where a line cannot be read, what was before it is written.
///
/// # Errors
/// Whatever is wrong with the encoder, a line, or the disk.
fn embed(args: &Embed) -> Outcome {
    let write: fn(Tensor, &Path) -> Result<()> = match args.out.as_ref().map(|out| out.extension()) {
        None => |_, _| Ok(()),
        Some(Some(ending)) if ending == "npy" => {
            |tensor, path| weights::atomically(path, |path| Tensor::write_npy(&tensor, path))
        }
        Some(Some(ending)) if ending == "safetensors" => {
            |tensor, path| weights::write([("features".to_string(), tensor)], path)
        }
        Some(_) => return Err(Error::config("--out: the file's name must end in .npy or .safetensors").into()),
    };
    args.out.as_deref().map_or(Ok(()), out::require_file_place)?;
    let origin = Origin::find(&args.path, &args.sets, &args.checkpoint)?;
    let device = origin.meet(args.device)?.alone("embed")?;
    let subject = origin.open(device, &eval::alone())?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut kept = Vec::new();
    let mut stdin = io::stdin().lock();
    let (mut count, mut missing, mut fault) = (0, 0, None);
    while fault.is_none() {
        let some;
        (some, fault) = lines(&mut stdin, count);
        if some.is_empty() {
            break;
        }
        let Embedded {
            mut vectors,
            unreadable,
        } = encode(&subject, some)?;
        for Unreadable { sample, error } in &unreadable {
            tracing::warn!("line {}: {error}", count + sample + 1);
        }
        // Of a wrong list nothing is worth keeping.
        if count == 0 && unreadable.len() as i64 == vectors.size()[0] {
            let first = &unreadable[0].error;
            let message = format!(
                "none of the first {} lines can be read; line 1: {first}",
                unreadable.len()
            );
            return Err(Error::data("stdin", message).into());
        }
        missing += unreadable.len();
        count += vectors.size()[0] as usize;
        if args.normalize {
            vectors = normalize(&vectors);
        }
        match args.out {
            Some(_) => kept.push(vectors),
            None => print(&vectors, &mut stdout)?,
        }
    }
    if count == 0 {
        let nothing = || Error::data("stdin", "has no lines; give one sample per line");
        return Err(fault.unwrap_or_else(nothing).into());
    }
    if let Some(out) = &args.out {
        let vectors = Tensor::cat(&kept, 0);
        let size = vectors.size();
        write(vectors, out)?;
        writeln!(stdout, "{}: {} vectors of {} numbers", out.display(), size[0], size[1])?;
    }
    stdout.flush()?;
    let kept = format!("the vectors of the {count} lines before it are written");
    match (fault, missing) {
        (Some(fault), _) => Err(Error::Run(format!("{fault}; {kept}")).into()),
        (None, 0) => Ok(()),
        (None, missing) => {
            let message =
                format!("{missing} of {count} lines cannot be read, and have vectors of NaN; they are named above");
            Err(Error::data("stdin", message).into())
        }
    }
}

/// Vectors of lines, `[N, d]`, in main memory.
struct Embedded {
    /// Of NaN where a line cannot be read.
    vectors: Tensor,
    /// Those lines, counted from 0, in order.
    unreadable: Vec<Unreadable>,
}

fn encode(subject: &Subject, lines: Vec<String>) -> Result<Embedded> {
    let reader = &subject.reader;
    let count = lines.len();
    let samples = reader.views.lines(lines)?;
    let views = reader.views.clone();
    let batches = fmicl_data::evaluation_batches(samples, views, reader.batch_size, OnError::Skip, (0, 1))?;
    let (mut found, mut order, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for batch in batches {
        let batch = batch?;
        if let Some(view) = batch.view {
            let vectors = subject.encode(&view.to_device(reader.device));
            found.push(vectors.to_device(Device::Cpu).to_kind(Kind::Float));
        }
        order.extend(batch.indices.iter().map(|index| *index as i64));
        unreadable.extend(batch.unreadable);
    }
    unreadable.sort_by_key(|line| line.sample);
    let width = subject.width();
    let mut vectors = Tensor::full([count as i64, width], f64::NAN, (Kind::Float, Device::Cpu));
    if !found.is_empty() {
        let found = Tensor::cat(&found, 0);
        eval::require_finite(&found)?;
        let _ = vectors.index_copy_(0, &Tensor::from_slice(&order), &found);
    }
    Ok(Embedded { vectors, unreadable })
}

/// The next lines, after the first `count` ones; none at the end. And what is wrong with the one behind them, if that is why they
/// end.
fn lines(input: &mut impl BufRead, count: usize) -> (Vec<String>, Option<Error>) {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < AT_A_TIME.0 && bytes < AT_A_TIME.1 {
        let number = count + lines.len() + 1;
        match line(input, number == 1) {
            Ok(None) => break,
            Ok(Some(text)) => {
                bytes += text.len() + 1;
                lines.push(text);
            }
            Err(wrong) => return (lines, Some(Error::data("stdin", format!("line {number} {wrong}")))),
        }
    }
    (lines, None)
}

/// The next line, without what ends it; or what is wrong with it.
fn line(input: &mut impl BufRead, is_first: bool) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    let read = input.by_ref().take(LONGEST as u64 + 2).read_until(b'\n', &mut line);
    if read.map_err(|error| format!("cannot be read: {error}"))? == 0 {
        return Ok(None);
    }
    line.pop_if(|last| *last == b'\n');
    line.pop_if(|last| *last == b'\r');
    if line.len() > LONGEST {
        return Err(format!("has more than {LONGEST} bytes; give one sample per line"));
    }
    let is_marked = [&[0xff, 0xfe], &[0xfe, 0xff]]
        .iter()
        .any(|mark| line.starts_with(*mark));
    if line.contains(&0) || (is_first && is_marked) {
        return Err("has a NUL or the byte-order mark of UTF-16: `iconv -f utf-16 -t utf-8` converts such".into());
    }
    let text = String::from_utf8(line).map_err(|_| "is not UTF-8 text")?;
    // What some editors put before UTF-8.
    Ok(Some(match text.strip_prefix('\u{feff}') {
        Some(text) if is_first => text.to_string(),
        _ => text,
    }))
}

/// A vector a line, in as many digits as give the same f32 back.
fn print(vectors: &Tensor, out: &mut impl Write) -> io::Result<()> {
    let (count, width) = (vectors.size()[0] as usize, vectors.size()[1] as usize);
    let mut numbers = vec![0.0f32; count * width];
    let total = numbers.len();
    vectors.to_kind(Kind::Float).contiguous().copy_data(&mut numbers, total);
    for row in numbers.chunks_exact(width) {
        for (index, number) in row.iter().enumerate() {
            let tab = if index == 0 { "" } else { "\t" };
            write!(out, "{tab}{number}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_far_as_there_is_room_and_not_beyond_a_mebibyte() {
        let all = |text: &[u8]| {
            let (lines, fault) = lines(&mut &*text, 4);
            (lines, fault.map(|fault| fault.to_string()).unwrap_or_default())
        };
        let none = String::new();
        assert_eq!(
            all(b"a\r\n\nb"),
            (vec!["a".into(), none.clone(), "b".into()], none.clone())
        );
        assert_eq!(all(b""), (vec![], none.clone()));
        let refused = "stdin: line 6 is not UTF-8 text".to_string();
        assert_eq!(all(b"a\n\xff\n"), (vec!["a".into()], refused));
        let long = vec![b'x'; LONGEST];
        assert_eq!(all(&long).0[0].len(), LONGEST);
        let longer = [&long[..], b"x\n"].concat();
        let refused = "stdin: line 5 has more than 1048576 bytes; give one sample per line".to_string();
        assert_eq!(all(&longer), (vec![], refused.clone()));
        // A pipe without end is not read to its end.
        let (_, fault) = lines(&mut io::BufReader::new(io::repeat(b'x')), 4);
        assert_eq!(fault.map(|fault| fault.to_string()), Some(refused));
        let many = [&long[..], b"\n"].concat().repeat(70);
        let mut rest = &*many;
        assert_eq!(lines(&mut rest, 0).0.len(), 64);
        assert_eq!(lines(&mut rest, 64).0.len(), 6);
    }

    #[test]
    fn a_mark_of_utf_8_is_no_letter_and_utf_16_is_named() {
        assert_eq!(lines(&mut &b"\xef\xbb\xbfa\nb\n"[..], 0).0, ["a", "b"]);
        for text in [&b"\xff\xfea\0\n\0"[..], b"a\0\n\0", b"\xfe\xff"] {
            let (lines, fault) = lines(&mut &*text, 0);
            assert!(lines.is_empty());
            let fault = fault.unwrap().to_string();
            assert!(
                fault.starts_with("stdin: line 1 has a NUL or the byte-order mark of UTF-16: `iconv"),
                "{fault}"
            );
        }
    }
}
