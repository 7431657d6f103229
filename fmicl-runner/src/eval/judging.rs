//! A representation as evaluations see it.

use super::encode::{Encode, Reader};
use super::judged::Judged;
use super::kept::Kept;
use super::supervised::{CopyEncoder, Training};
use crate::data::{Labelled, Opened, Splits};
use crate::left_out::Pass;
use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Error, Features, LabelledFeatures, Representation, Result, Samples, Supervised};
use fmicl_data::{Chosen, Unreadable};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

/// An encoder, or raw samples, while evaluations judge it. It holds the features of the labelled splits, once an evaluation
/// has asked for them.
pub(super) struct Judging<'a> {
    reader: &'a Reader,
    encode: &'a Encode<'a>,
    copy: Option<&'a CopyEncoder<'a>>,
    data: Option<&'a Splits>,
    is_in_training: bool,
    /// The most labelled training samples.
    most: Option<usize>,
    kept: Option<Kept>,
    labelled: OnceCell<(LabelledFeatures, usize)>,
}

impl<'a> Judging<'a> {
    /// Representation by `encode` of samples that `reader` reads; its labelled splits are those of `data`.
    pub fn new(reader: &'a Reader, encode: &'a Encode<'a>, data: Option<&'a Splits>) -> Self {
        Judging {
            reader,
            encode,
            copy: None,
            data,
            is_in_training: false,
            most: None,
            kept: None,
            labelled: OnceCell::new(),
        }
    }

    /// Lets evaluations train copies of the encoder that `copy` makes.
    pub fn copied_by(self, copy: &'a CopyEncoder<'a>) -> Self {
        Judging {
            copy: Some(copy),
            ..self
        }
    }

    /// Marks the evaluation as one for which training waits, with at most so many labelled training samples.
    pub fn in_training(self, most: Option<usize>) -> Self {
        Judging {
            is_in_training: true,
            most,
            ..self
        }
    }

    /// Takes the features of the labelled splits from a file, or keeps them there, if one is given.
    pub fn keeping(self, kept: Option<Kept>) -> Self {
        Judging { kept, ..self }
    }

    /// The report of an evaluation.
    pub fn judge(&self, opened: &Opened, representation: &str) -> Result<Judged> {
        Ok(Judged {
            evaluation: opened.name.clone(),
            representation: representation.to_string(),
            report: opened.task.judge(self)?,
        })
    }

    /// The features of the labelled splits, if an evaluation has asked for them, and how many samples could not be read.
    pub fn seen(&self) -> Option<(&LabelledFeatures, usize)> {
        self.labelled
            .get()
            .map(|(features, unreadable)| (features, *unreadable))
    }

    fn splits(&self) -> Result<(&'a Splits, &'a Labelled)> {
        let labelled = self.data.and_then(|data| Some((data, data.labelled.as_ref()?)));
        labelled.ok_or_else(|| Error::Run("there are no labels to evaluate the encoder with".into()))
    }

    /// The features that are kept, or, where a process does not find them, those that are read, which are then kept.
    fn kept_or_read(&self, kept: &Kept, data: &Splits, labelled: &Labelled) -> Result<(LabelledFeatures, usize)> {
        let Reader { device, processes, .. } = self.reader;
        let [missing] = processes.largest([i64::from(kept.is_missing())])?;
        if missing == 0 {
            return kept.read(labelled, *device);
        }
        let read = self.read_labelled(data, labelled)?;
        // Of several processes each has all features.
        if processes.rank() == 0 {
            kept.write(&read.0, read.1)?;
        }
        Ok(read)
    }

    fn read_labelled(&self, data: &Splits, labelled: &Labelled) -> Result<(LabelledFeatures, usize)> {
        let some: Arc<dyn Samples> = match self.most {
            Some(most) if most < labelled.train.len() => Arc::new(Chosen::spread(most, labelled.train.clone())),
            _ => labelled.train.clone(),
        };
        let (train, lost_of_train) = self.read(data, ("train", &some))?;
        let (test, lost_of_test) = self.read(data, ("test", &labelled.test))?;
        let features = LabelledFeatures {
            train,
            test,
            classes: labelled.train.classes(),
            class_names: labelled.train.class_names(),
        };
        Ok((features, data.distinct(&lost_of_train, &lost_of_test)))
    }

    /// The features and labels of the samples of a labelled split, in order; without those that cannot be read, where they may
    /// be left out, and which those are.
    fn read(&self, data: &Splits, (split, samples): (&str, &Arc<dyn Samples>)) -> Result<(Features, Vec<usize>)> {
        let reader = self.reader;
        let mut encoded = reader.encode_labelled(samples, self.encode)?;
        let missing = encoded.missing(samples.len());
        let own: HashSet<_> = encoded.unreadable.iter().map(|own| own.sample).collect();
        // Why, the process knows that it fell to.
        let others = missing.iter().filter(|index| !own.contains(index));
        encoded.unreadable.extend(others.map(|&sample| {
            let path = samples
                .path(sample)
                .map_or("it".into(), |path| path.display().to_string());
            let error = format!("{path}: cannot be read, as another process found");
            Unreadable { sample, error }
        }));
        data.left_out.add(Pass::Evaluation, split, &encoded.unreadable);
        let labels = encoded.labels(&**samples).to_device(reader.device);
        let values = encoded.values;
        Ok((Features { values, labels }, missing))
    }
}

impl Representation for Judging<'_> {
    fn encode(&self, samples: Arc<dyn Samples>) -> Result<Tensor> {
        Ok(self.reader.encode(&samples, self.encode)?.to_device(Device::Cpu))
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        if let Some((features, _)) = self.labelled.get() {
            return Ok(features);
        }
        let (data, labelled) = self.splits()?;
        let read = match &self.kept {
            Some(kept) => self.kept_or_read(kept, data, labelled)?,
            None => self.read_labelled(data, labelled)?,
        };
        Ok(&self.labelled.get_or_init(|| read).0)
    }

    fn supervised(&self) -> Result<Box<dyn Supervised + '_>> {
        let (data, labelled) = self.splits()?;
        if self.reader.processes.are_many() {
            let count = self.reader.processes.size();
            return Err(Error::Run(format!(
                "an evaluation that trains with labels takes one process, and here are {count}"
            )));
        }
        Ok(Box::new(Training {
            reader: self.reader,
            encode: self.encode,
            copy: self.copy,
            data,
            samples: labelled.samples(),
        }))
    }

    fn is_in_training(&self) -> bool {
        self.is_in_training
    }
}
