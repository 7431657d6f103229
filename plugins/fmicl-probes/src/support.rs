//! An encoder and labelled images in memory, for tests.

use crate::normal::new_weights;
use fmicl_core::{
    Batches, Encoder, Error, Features, LabelledBatch, LabelledFeatures, LabelledSamples, Representation, Result, Rng,
    Samples, Shuffled, Split, Supervised, Trainable, View,
};
use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;
use tch::nn::{self, Module, ModuleT, VarStore};
use tch::{Device, Kind, Tensor};

/// Two convolutions with a batch norm between, named as in a ResNet: 8 features of images `[N, 3, H, W]`.
#[derive(Debug)]
pub struct Net {
    conv: nn::Conv2D,
    norm: nn::BatchNorm,
    last: nn::Conv2D,
}

impl Net {
    pub fn new(path: &nn::Path) -> Self {
        let options = nn::ConvConfig {
            padding: 1,
            bias: false,
            // Not drawn: other tests need libtorch's generator.
            ws_init: nn::Init::Const(0.1),
            ..Default::default()
        };
        let norm = nn::BatchNormConfig {
            ws_init: nn::Init::Const(1.0),
            ..Default::default()
        };
        Net {
            conv: nn::conv2d(path / "conv1", 3, 8, 3, options),
            norm: nn::batch_norm2d(path / "bn1", 8, norm),
            last: nn::conv2d(path / "layer1" / "0" / "conv1", 8, 8, 3, options),
        }
    }
}

impl Encoder for Net {
    fn forward(&self, view: &View, train: bool) -> Tensor {
        let hidden = self.norm.forward_t(&self.conv.forward(&view.input), train).relu();
        let hidden = self.last.forward(&hidden).relu();
        hidden.mean_dim([2i64, 3].as_slice(), false, Kind::Float)
    }

    fn width(&self) -> i64 {
        8
    }
}

/// Samples of which only labels and files are read.
pub struct Listed {
    pub labels: Vec<usize>,
    pub classes: usize,
    pub paths: Vec<PathBuf>,
}

impl Samples for Listed {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.paths.get(index).cloned()
    }
}

/// A [`Net`] and images whose classes can be told apart.
pub struct Fake {
    images: [Tensor; 2],
    pub samples: LabelledSamples,
    pub store: VarStore,
    net: Net,
    labelled: OnceCell<LabelledFeatures>,
}

impl Fake {
    /// Images with these labels for training and test, below `classes`. The images of a test sample are of its label; the label
    /// that it is said to have is `shift` more, modulo `classes`.
    pub fn of(train: Vec<usize>, test: Vec<usize>, classes: usize, shift: usize) -> Self {
        // A class is a colour.
        let colours = new_weights(classes as i64, 3, 1).view([-1, 3, 1, 1]) * 200.0;
        let images = [(&train, 2), (&test, 3)].map(|(labels, seed)| {
            let of: Vec<_> = labels.iter().map(|&label| label as i64).collect();
            let noise = new_weights(of.len() as i64, 108, seed).view([-1, 3, 6, 6]) * 50.0;
            noise + colours.index_select(0, &Tensor::from_slice(&of))
        });
        let listed = |labels: Vec<usize>| -> Arc<dyn Samples> {
            let paths = (0..labels.len()).map(|index| format!("photos/{}/{index}.png", labels[index]).into());
            Arc::new(Listed {
                paths: paths.collect(),
                labels,
                classes,
            })
        };
        let store = VarStore::new(Device::Cpu);
        let net = Net::new(&store.root());
        for (seed, (_, mut var)) in std::collections::BTreeMap::from_iter(store.variables())
            .into_iter()
            .enumerate()
        {
            if let [out, rest @ ..] = &var.size()[..]
                && !rest.is_empty()
            {
                let weights = new_weights(*out, rest.iter().product(), seed as u64) * 20.0;
                tch::no_grad(|| var.copy_(&weights.view_as(&var)));
            }
        }
        let shifted = test.into_iter().map(|label| (label + shift) % classes).collect();
        Fake {
            images,
            samples: LabelledSamples {
                train: listed(train),
                test: listed(shifted),
                classes,
                class_names: Vec::new(),
            },
            store,
            net,
            labelled: OnceCell::new(),
        }
    }

    /// So many images, with labels in turns.
    pub fn new(train: usize, test: usize, classes: usize, shift: usize) -> Self {
        let labels = |count: usize| (0..count).map(|index| index % classes).collect();
        Fake::of(labels(train), labels(test), classes, shift)
    }

    fn split(&self, split: Split) -> (&Tensor, &dyn Samples) {
        match split {
            Split::Test => (&self.images[1], &*self.samples.test),
            _ => (&self.images[0], &*self.samples.train),
        }
    }

    fn batch(&self, split: Split, indices: &[usize]) -> LabelledBatch {
        let (images, samples) = self.split(split);
        let rows: Vec<_> = indices.iter().map(|&index| index as i64).collect();
        let labels: Vec<_> = indices.iter().map(|&index| samples.label(index) as i64).collect();
        LabelledBatch {
            indices: indices.to_vec(),
            view: images.index_select(0, &Tensor::from_slice(&rows)).into(),
            labels: Tensor::from_slice(&labels),
        }
    }
}

impl Supervised for Fake {
    fn samples(&self) -> &LabelledSamples {
        &self.samples
    }

    fn shuffled(&self, which: &Shuffled) -> Result<Batches<'_>> {
        let (count, seed, indices) = (which.indices.len(), which.seed, which.indices.clone());
        if count < 2 {
            return Err(Error::config(format!("{count} samples are no batch")));
        }
        let batch_size = which.batch_size.min(count);
        let per_epoch = count / batch_size;
        let mirrors = which.augmentation.flip > 0.0;
        let items = (0..which.epochs as u64).flat_map(move |epoch| {
            let mut order = indices.clone();
            Rng::new(&[seed, epoch]).shuffle(&mut order);
            (0..per_epoch).map(move |number| {
                let mut batch = self.batch(Split::Train, &order[number * batch_size..][..batch_size]);
                if mirrors && epoch % 4 == 3 {
                    batch.view.input = batch.view.input.flip([3]);
                }
                Ok(batch)
            })
        });
        Ok(Batches {
            per_epoch,
            batch_size,
            items: Box::new(items),
        })
    }

    fn in_order(&self, split: Split, indices: Vec<usize>) -> Result<Batches<'_>> {
        let chunks: Vec<Vec<usize>> = indices.chunks(7).map(<[usize]>::to_vec).collect();
        let per_epoch = chunks.len();
        // In another order than that of the samples.
        let items = chunks.into_iter().rev().map(move |chunk| Ok(self.batch(split, &chunk)));
        Ok(Batches {
            per_epoch,
            batch_size: 7,
            items: Box::new(items),
        })
    }

    fn features(&self, view: &View) -> Tensor {
        tch::no_grad(|| self.net.forward(view, false))
    }

    fn trainable(&self) -> Result<Trainable> {
        let mut store = VarStore::new(Device::Cpu);
        let encoder = Box::new(Net::new(&store.root()));
        store.copy(&self.store)?;
        Ok(Trainable {
            store,
            encoder,
            about: "{}".into(),
        })
    }
}

/// Borrowed, as the trait wants it.
struct Borrowed<'a>(&'a Fake);

impl Supervised for Borrowed<'_> {
    fn samples(&self) -> &LabelledSamples {
        self.0.samples()
    }

    fn shuffled(&self, which: &Shuffled) -> Result<Batches<'_>> {
        self.0.shuffled(which)
    }

    fn in_order(&self, split: Split, indices: Vec<usize>) -> Result<Batches<'_>> {
        self.0.in_order(split, indices)
    }

    fn features(&self, view: &View) -> Tensor {
        self.0.features(view)
    }

    fn trainable(&self) -> Result<Trainable> {
        self.0.trainable()
    }
}

impl Representation for Fake {
    fn encode(&self, _: Arc<dyn Samples>) -> Result<Tensor> {
        Err(Error::Run("there is no reader".into()))
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        let features = |split| {
            let (images, samples) = self.split(split);
            let all: Vec<_> = (0..samples.len()).collect();
            Features {
                values: self.features(&images.shallow_clone().into()),
                labels: self.batch(split, &all).labels,
            }
        };
        Ok(self.labelled.get_or_init(|| LabelledFeatures {
            train: features(Split::Train),
            test: features(Split::Test),
            classes: self.samples.classes,
            class_names: Vec::new(),
        }))
    }

    fn supervised(&self) -> Result<Box<dyn Supervised + '_>> {
        Ok(Box::new(Borrowed(self)))
    }
}

/// Checks that predictions do not depend on test labels: judged with labels shifted by 0, 1, ..., each sample is right exactly once.
pub fn sees_no_test_label(judge: impl Fn(&Fake) -> fmicl_core::Report) {
    const CLASSES: usize = 3;
    let judged = (0..CLASSES).map(|shift| {
        let report = judge(&Fake::new(60, 30, CLASSES, shift));
        let hits = report.metrics[0].hits.clone().expect("hits of each sample");
        hits.0.into_iter().map(usize::from).collect::<Vec<_>>()
    });
    let sums = judged.reduce(|all, some| all.iter().zip(some).map(|(a, b)| a + b).collect());
    assert_eq!(sums, Some(vec![1; 30]));
}
