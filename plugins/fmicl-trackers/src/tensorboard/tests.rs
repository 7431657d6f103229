//! Tests of the event files.

use super::decoder::{Found, records, values};
use super::messages::{Data, Event, Hparams, Session, What};
use super::*;
use fmicl_core::tch::{Device, Kind};
use fmicl_core::testing::check_tracker_by;
use fmicl_core::toml::Table;
use fmicl_core::{MetricValue, Part};
use prost::Message;
use std::fs;
use std::path::PathBuf;

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.join("tensorboard")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    // As TensorBoard chooses them.
    files.retain(|path| path.to_string_lossy().contains("tfevents"));
    files.sort();
    files
}

/// The summaries of a run's files, without the time.
fn events(folder: &Path) -> Vec<Event> {
    let mut found = Vec::new();
    for path in files(folder) {
        for record in records(&fs::read(path).unwrap()) {
            let mut event = Event::decode(record).unwrap();
            event.wall_time = 0.0;
            if let Some(What::Summary(summary)) = &mut event.what {
                summary.value.iter_mut().for_each(forget_time);
                found.push(event);
            }
        }
    }
    found
}

fn forget_time(value: &mut messages::Value) {
    let data = value
        .metadata
        .as_mut()
        .and_then(|metadata| metadata.plugin_data.as_mut());
    let Some(data) = data.filter(|data| data.plugin_name == "hparams") else {
        return;
    };
    let mut hparams = Hparams::decode(&data.content[..]).unwrap();
    match &mut hparams.session {
        Some(Session::Start(start)) => start.start_time_secs = 0.0,
        Some(Session::End(end)) => end.end_time_secs = 0.0,
        None => {}
    }
    data.content = hparams.encode_to_vec();
}

fn open<'a>(folder: &Path, steps: u64, config: &Table) -> Box<dyn Tracking + 'a> {
    let run = TrackedRun {
        folder,
        epochs: 0,
        steps,
        config,
    };
    TensorBoard::default().open(&run).unwrap()
}

fn take(tracking: &mut dyn Tracking, step: u64) {
    let at = Moment { epoch: 1, step };
    let values = [("loss", step as f64 / 7.0), ("lr", f64::INFINITY)];
    let values = values.map(|(name, value)| (name.to_string(), MetricValue::Number(value)));
    tracking.step(at, &values.into()).unwrap();
}

fn losses(folder: &Path) -> Vec<(u64, f32)> {
    let all = files(folder)
        .into_iter()
        .flat_map(|file| values(&fs::read(file).unwrap()));
    let losses = all.filter(|value| value.tag == "step/loss");
    losses.map(|value| (value.step, value.scalar.unwrap())).collect()
}

#[test]
fn a_run_that_was_killed_has_the_events_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |folder: &Path| events(folder).iter().map(|event| format!("{event:?}")).collect();
    check_tracker_by(&TensorBoard::default(), folder.path(), &shown);
}

#[test]
fn scalars_are_those_that_were_measured_by_their_groups() {
    let folder = tempfile::tempdir().unwrap();
    let mut tracking = open(folder.path(), 0, &Table::new());
    let (at, end) = (Moment { epoch: 1, step: 50 }, Moment { epoch: 1, step: 70 });
    let metrics = |values: &[(&str, MetricValue)]| {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.clone()));
        values.collect::<MetricValues>()
    };
    use MetricValue::{Count, Number, Text};
    tracking
        .step(at, &metrics(&[("loss", Number(0.1)), ("skipped", Count(3))]))
        .unwrap();
    let of_epoch = [
        ("loss", Number(f64::NAN)),
        ("projections/of", Text("x".into())),
        ("projections/rank", Number(2.5)),
    ];
    tracking.epoch(end, &metrics(&of_epoch)).unwrap();
    let result = metrics(&[("evaluations/knn/accuracy", Number(93.1))]);
    tracking.end(Ending::Finished(&result)).unwrap();
    let found = values(&fs::read(&files(folder.path())[0]).unwrap());
    let shown = |Found { step, tag, scalar }: &Found| Some(format!("{step} {tag} {}", (*scalar)?));
    let expected = [
        "50 step/loss 0.1",
        "50 step/skipped 3",
        "70 epoch/loss NaN",
        "70 projections/rank 2.5",
        "70 result/knn/accuracy 93.1",
    ];
    assert_eq!(found.iter().filter_map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn a_resumed_run_begins_a_file_that_says_from_which_step_on_earlier_events_are_void() {
    let folder = tempfile::tempdir().unwrap();
    let config = Table::new();
    let mut tracking = open(folder.path(), 0, &config);
    (1..=9).for_each(|step| take(&mut *tracking, step));
    drop(tracking);
    let mut tracking = open(folder.path(), 4, &config);
    (5..=6).for_each(|step| take(&mut *tracking, step));
    drop(tracking);
    assert_eq!(files(folder.path()).len(), 2);
    assert_eq!(
        losses(folder.path()),
        [1, 2, 3, 4, 5, 6].map(|step| (step, (step as f64 / 7.0) as f32))
    );
    let bytes = fs::read(&files(folder.path())[1]).unwrap();
    let head: Vec<_> = records(&bytes)[..2]
        .iter()
        .map(|record| Event::decode(*record).unwrap())
        .collect();
    assert_eq!(head[0].what, Some(What::FileVersion("brain.Event:2".into())));
    assert_eq!(
        (head[1].step, &head[1].what),
        (5, &Some(What::SessionLog(messages::SessionLog { status: 1 })))
    );
    // From the start again: nothing of before is left but the config.
    drop(open(folder.path(), 0, &config));
    assert_eq!((files(folder.path()).len(), losses(folder.path()).len()), (1, 0));
}

#[test]
fn another_config_is_recorded_and_the_same_one_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = |epochs: i64| Table::from_iter([("epochs".to_string(), epochs.into())]);
    for (steps, epochs) in [(0, 10), (3, 10), (6, 20)] {
        let mut tracking = open(folder.path(), steps, &config(epochs));
        (steps + 1..=steps + 3).for_each(|step| take(&mut *tracking, step));
    }
    let texts = events(folder.path())
        .into_iter()
        .filter_map(|event| Some((event.step, events::config_of(&event)?)));
    let expected = [(0, "```toml\nepochs = 10\n```\n"), (6, "```toml\nepochs = 20\n```\n")];
    assert_eq!(
        texts.collect::<Vec<_>>(),
        expected.map(|(step, text)| (step, text.to_string()))
    );
}

#[test]
fn a_finished_run_that_is_looked_at_with_another_config_keeps_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let config = |number: i64| Table::from_iter([("log_every".to_string(), number.into())]);
    let mut tracking = open(folder.path(), 0, &config(1));
    (1..=3).for_each(|step| take(&mut *tracking, step));
    let results = vec![("knn.accuracy".to_string(), MetricValue::Number(90.0))];
    tracking.end(Ending::Finished(&results)).unwrap();
    drop(tracking);
    let before = events(folder.path()).len();
    drop(open(folder.path(), 3, &config(2)));
    assert_eq!(events(folder.path()).len(), before);
}

#[test]
fn what_the_disk_refuses_is_written_later_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let way = folder.path().join("tensorboard/events.out.tfevents.0000000000.fmicl");
    fs::create_dir_all(&way).unwrap();
    let mut tracking = open(folder.path(), 0, &Table::new());
    (1..=3).for_each(|step| take(&mut *tracking, step));
    tracking.flush().unwrap();
    fs::remove_dir(&way).unwrap();
    take(&mut *tracking, 4);
    assert_eq!(
        losses(folder.path()).iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
}

#[test]
fn a_folder_that_is_removed_while_training_stops_nothing_and_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    (1..=3).for_each(|step| take(&mut *open(folder.path(), step - 1, &Table::new()), step));
    let results = vec![("knn.accuracy".to_string(), MetricValue::Number(90.0))];
    let mut tracking = open(folder.path(), 3, &Table::new());
    tracking.end(Ending::Finished(&results)).unwrap();
    drop(tracking);
    // The end of before is to be cut from a file that is gone by then.
    let mut tracking = open(folder.path(), 3, &Table::new());
    for step in 4..=6 {
        fs::remove_dir_all(folder.path().join("tensorboard")).unwrap();
        take(&mut *tracking, step);
        take(&mut *tracking, step + 10);
        tracking.flush().unwrap();
        let left = losses(folder.path()).iter().map(|(step, _)| *step).collect::<Vec<_>>();
        assert_eq!(left, [step, step + 10], "records are whole, and none is kept back");
    }
}

#[test]
fn damage_in_the_middle_costs_the_damaged_record_alone_and_the_file_as_it_was_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut tracking = open(folder.path(), 0, &Table::new());
    (1..=9).for_each(|step| take(&mut *tracking, step));
    drop(tracking);
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = records(&whole)
        .iter()
        .scan(0, |end, record| {
            *end += record.len() + 16;
            Some(*end)
        })
        .collect();
    // The record of step 4: its length, that one's checksum, its data.
    let start = ends[ends.len() - 7];
    for (number, at) in [start, start + 9, start + 20].into_iter().enumerate() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        drop(open(folder.path(), 7, &Table::new()));
        let left = losses(folder.path()).iter().map(|(step, _)| *step).collect::<Vec<_>>();
        assert_eq!(left, [1, 2, 3, 5, 6, 7], "{at}");
        let ending = if number == 0 { "" } else { &format!("-{}", number + 1) };
        let aside = path.with_file_name(format!("0000000000.fmicl.damaged{ending}"));
        assert_eq!(fs::read(aside).unwrap(), damaged);
    }
    // Damage behind the checkpoint is cut with the rest.
    let mut damaged = whole.clone();
    damaged[start + 20] ^= 0x10;
    fs::write(&path, &damaged).unwrap();
    drop(open(folder.path(), 3, &Table::new()));
    assert_eq!(fs::read_dir(folder.path().join("tensorboard")).unwrap().count(), 4);
}

#[test]
fn files_of_others_and_damaged_ones_are_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut tracking = open(folder.path(), 0, &Table::new());
    (1..=3).for_each(|step| take(&mut *tracking, step));
    drop(tracking);
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let other = path.with_file_name("events.out.tfevents.7.host");
    fs::write(&other, "not ours").unwrap();
    let mut seed = 1u64;
    for _ in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut damaged = whole.clone();
        let at = (seed >> 33) as usize % whole.len();
        damaged[at] ^= 1 << (seed % 8);
        damaged.truncate((seed >> 20) as usize % (whole.len() + 1));
        fs::write(&path, &damaged).unwrap();
        drop(open(folder.path(), 3, &Table::new()));
        for file in files(folder.path()).into_iter().filter(|file| *file != other) {
            records(&fs::read(&file).unwrap());
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(fs::read(other).unwrap(), b"not ours");
}

#[test]
fn images_and_histograms_hold_what_they_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut tracking = open(folder.path(), 0, &Table::new());
    let at = Moment { epoch: 1, step: 1 };
    let pixels = Tensor::arange(3 * 2 * 4, (Kind::Uint8, Device::Cpu)).view([3, 2, 4]);
    tracking.image(at, "views/1", &pixels).unwrap();
    let wrong = tracking.image(at, "views/1", &pixels.get(0)).unwrap_err().to_string();
    assert_eq!(wrong, "the image \"views/1\": [2, 4] is not [1 or 3, height, width]");
    let cosines = Tensor::from_slice(&[-0.5f32, 0.5, 0.5, f32::NAN, 0.25]);
    tracking.histogram(at, "cosines/negative", &cosines).unwrap();
    tracking
        .histogram(at, "cosines/same", &Tensor::from_slice(&[0.5f32; 3]))
        .unwrap();
    let data = |event: &Event| match &event.what {
        Some(What::Summary(summary)) => summary.value[0].data.clone().unwrap(),
        _ => panic!("{event:?}"),
    };
    let events = events(folder.path());
    let [_, image, histogram, same] = &events.iter().map(data).collect::<Vec<_>>()[..] else {
        panic!("{events:?}")
    };
    let Data::Image(image) = image else { panic!("{image:?}") };
    assert_eq!((image.height, image.width, image.colorspace), (2, 4, 3));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&image.encoded_image_string))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; 24];
    reader.next_frame(&mut bytes).unwrap();
    // Pixel by pixel, and the second one's channels.
    assert_eq!(&bytes[3..6], [1, 9, 17]);
    let Data::Histogram(histogram) = histogram else {
        panic!("{histogram:?}")
    };
    assert_eq!((histogram.num, histogram.min, histogram.max), (4.0, -0.5, 0.5));
    assert_eq!((histogram.sum, histogram.sum_squares), (0.75, 0.8125));
    assert_eq!(histogram.bucket.iter().sum::<f64>(), 4.0);
    let last = histogram.bucket.len() - 1;
    assert_eq!(
        (
            histogram.bucket[0],
            histogram.bucket[last],
            histogram.bucket_limit[last]
        ),
        (1.0, 2.0, 0.5)
    );
    let Data::Histogram(same) = same else {
        panic!("{same:?}")
    };
    let filled = same.bucket.iter().position(|&count| count == 3.0).unwrap();
    assert!(
        same.bucket_limit[filled - 1] <= 0.5 && 0.5 <= same.bucket_limit[filled],
        "{same:?}"
    );
}

#[test]
fn a_folder_outside_the_run_is_refused() {
    for folder in ["", "/tmp/x", "../x", "a/../b"] {
        let options = Table::from_iter([("folder".to_string(), folder.into())]);
        let error = Part::<dyn Tracker>::new("tensorboard", options)
            .unwrap_err()
            .to_string();
        let expected =
            format!("folder: {folder:?} is not a folder within the run's directory, such as \"tensorboard\"");
        assert_eq!(error, expected);
    }
}
