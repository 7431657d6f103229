//! `fmicl embed`: vectors of whatever a trained encoder reads, a line each.

use crate::DeviceChoice;
use crate::eval::Subject;
use crate::weights;
use clap::Args;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Lines that are encoded before the next are read: enough for batches of like length, little enough for any memory.
const AT_A_TIME: usize = 8192;

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
    let subject = Subject::open(&args.path, &args.sets, args.device)?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut kept = Vec::new();
    let mut lines = io::stdin().lock().lines();
    let mut count = 0;
    loop {
        let some: Vec<String> = lines
            .by_ref()
            .take(AT_A_TIME)
            .collect::<io::Result<_>>()
            .map_err(|error| Error::data("stdin", format!("cannot be read after line {count}: {error}")))?;
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
