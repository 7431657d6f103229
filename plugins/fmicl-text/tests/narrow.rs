//! Small encoders of sentences of any length on every processor: what is written beyond a buffer is found.

use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::testing::on_every_processor;
use fmicl_core::{Backbone, Encoder, Input, Parameters, View};
use fmicl_text::Bert;

/// Sentences of 1 to `longest` tokens.
fn sentences(count: i64, longest: i64) -> View {
    let ids = Tensor::randint(60, [count, longest], (Kind::Int64, Device::Cpu));
    let lengths = (Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(longest) + 1).view([-1, 1]);
    View {
        input: ids,
        mask: Some(Tensor::arange(longest, (Kind::Int64, Device::Cpu)).lt_tensor(&lengths)),
    }
}

#[test]
fn sentences_are_encoded_on_every_processor() {
    on_every_processor("sentences_are_encoded_on_every_processor", || {
        tch::set_num_threads(2);
        tch::manual_seed(1);
        for (hidden, heads, intermediate) in [
            (1, 1, 1),
            (3, 3, 5),
            (7, 1, 9),
            (8, 2, 17),
            (15, 5, 3),
            (17, 1, 33),
            (96, 4, 65),
        ] {
            let bert = Bert {
                hidden: Some(hidden),
                heads: Some(heads),
                layers: Some(2),
                intermediate: Some(intermediate),
                ..Bert::default()
            };
            let store = VarStore::new(Device::Cpu);
            let input = Input::Tokens {
                vocabulary: 60,
                longest: 17,
            };
            let encoder = bert.build_for(&store.root(), input).unwrap();
            let mut parameters = Parameters::new(&store);
            for longest in 1..=17 {
                step(&*encoder, &mut parameters, &sentences(longest + 4, longest));
            }
        }
    });
}

/// A step, and that evaluation has the same features in a batch as alone.
fn step(encoder: &dyn Encoder, parameters: &mut Parameters, view: &View) {
    let features = encoder.forward(view, true);
    (&features * features.randn_like()).sum(Kind::Float).backward();
    assert!(parameters.grad_norm().double_value(&[]).is_finite());
    parameters.zero_grad();
    let all = tch::no_grad(|| encoder.forward(view, false));
    let last = |tensor: &Tensor| tensor.narrow(0, view.input.size()[0] - 1, 1);
    let alone = View {
        input: last(&view.input),
        mask: view.mask.as_ref().map(last),
    };
    let far = (last(&all) - tch::no_grad(|| encoder.forward(&alone, false)))
        .abs()
        .max()
        .double_value(&[]);
    assert!(far < 1e-4, "off by {far}");
}
