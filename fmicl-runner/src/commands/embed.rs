//! `fmicl embed`: vectors of whatever a trained encoder reads, a line each.

use crate::eval::{self, Origin};
use crate::train::CheckpointChoice;
use crate::{DeviceChoice, disk, weights};
use clap::Args;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result};
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Lines, and about how many bytes, that are encoded before the next are read: enough for batches of like length, little
/// enough for any memory.
const AT_A_TIME: (usize, usize) = (8192, 64 << 20);
/// The most bytes of a line.
const LONGEST: usize = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// A run directory that `train` wrote, or a folder of published weights
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

/// Reads lines from stdin (sentences, or paths of images) and writes a vector for each, in their order: to stdout as
/// numbers with tabs between, or to a file.
///
/// # Errors
/// Whatever is wrong with the encoder, a line, or the disk.
pub(crate) fn embed(args: &EmbedArgs) -> anyhow::Result<()> {
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
    args.out.as_deref().map_or(Ok(()), disk::require_file_place)?;
    let origin = Origin::find(&args.path, &args.sets, &args.checkpoint)?;
    let device = origin.meet(args.device)?.alone("embed")?;
    let subject = origin.open(device, &eval::alone())?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut kept = Vec::new();
    let mut stdin = io::stdin().lock();
    let mut count = 0;
    loop {
        let some = lines(&mut stdin, count)?;
        if some.is_empty() {
            break;
        }
        count += some.len();
        let samples = subject.reader.views.lines(some)?;
        let mut vectors = subject
            .reader
            .encode(&samples, &|view| subject.encode(view))?
            .to_device(Device::Cpu);
        if args.normalize {
            let norm = vectors.norm_scalaropt_dim(2.0, [1].as_slice(), true);
            vectors /= norm.clamp_min(1e-12);
        }
        match args.out {
            Some(_) => kept.push(vectors),
            None => print(&vectors, &mut stdout)?,
        }
    }
    if let Some(out) = &args.out {
        let vectors = match kept[..] {
            [] => return Err(Error::data("stdin", "has no lines; give a sample a line").into()),
            _ => Tensor::cat(&kept, 0),
        };
        let size = vectors.size();
        write(vectors, out)?;
        writeln!(stdout, "{}: {} vectors of {} numbers", out.display(), size[0], size[1])?;
    }
    stdout.flush()?;
    Ok(())
}

/// The next lines, after the first `count` ones; none at the end.
fn lines(input: &mut impl BufRead, count: usize) -> Result<Vec<String>> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < AT_A_TIME.0 && bytes < AT_A_TIME.1 {
        let wrong = |what: String| Error::data("stdin", format!("line {} {what}", count + lines.len() + 1));
        let mut line = Vec::new();
        let read = input.by_ref().take(LONGEST as u64 + 2).read_until(b'\n', &mut line);
        if read.map_err(|error| wrong(format!("cannot be read: {error}")))? == 0 {
            break;
        }
        bytes += line.len();
        line.pop_if(|last| *last == b'\n');
        line.pop_if(|last| *last == b'\r');
        if line.len() > LONGEST {
            return Err(wrong(format!("has more than {LONGEST} bytes; give a sample a line")));
        }
        let text = String::from_utf8(line);
        lines.push(text.map_err(|_| wrong("is no text in UTF-8".into()))?);
    }
    Ok(lines)
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
        let all = |text: &[u8]| lines(&mut &*text, 4).map_err(|error| error.to_string());
        assert_eq!(all(b"a\r\n\nb").unwrap(), ["a", "", "b"]);
        assert_eq!(all(b"").unwrap(), [""; 0]);
        assert_eq!(all(b"a\n\xff\n").unwrap_err(), "stdin: line 6 is no text in UTF-8");
        let long = vec![b'x'; LONGEST];
        assert_eq!(all(&long).unwrap()[0].len(), LONGEST);
        let longer = [&long[..], b"x\n"].concat();
        let refused = "stdin: line 5 has more than 1048576 bytes; give a sample a line";
        assert_eq!(all(&longer).unwrap_err(), refused);
        // A pipe without end is not read to its end.
        assert_eq!(
            lines(&mut io::BufReader::new(io::repeat(b'x')), 4)
                .unwrap_err()
                .to_string(),
            refused
        );
        let many = [&long[..], b"\n"].concat().repeat(70);
        let mut rest = &*many;
        assert_eq!(lines(&mut rest, 0).unwrap().len(), 64);
        assert_eq!(lines(&mut rest, 64).unwrap().len(), 6);
    }
}
