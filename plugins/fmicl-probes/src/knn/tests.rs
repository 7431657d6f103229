use super::*;
use crate::Score;
use fmicl_core::testing::unit_rows;
use tch::Device;

fn features(rows: &[[f32; 2]], labels: &[i64]) -> Features {
    Features {
        values: Tensor::from_slice2(rows),
        labels: Tensor::from_slice(labels),
    }
}

fn accuracy(options: &Knn, train: &Features, test: &Features) -> f64 {
    Score::of(&options.predict(train, test, 2), &test.labels, 2).accuracy
}

#[test]
fn one_neighbour_is_the_nearest_by_angle() {
    let train = features(&[[10.0, 0.0], [0.0, 0.1]], &[0, 1]);
    let test = features(&[[0.1, 0.01], [1.0, 9.0], [9.0, 1.0]], &[0, 1, 1]);
    let one = Knn {
        k: vec![1],
        ..Knn::default()
    };
    assert!((accuracy(&one, &train, &test) - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_low_temperature_lets_one_near_neighbour_outvote_two_far_ones() {
    let train = features(&[[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], &[0, 1, 1]);
    let test = features(&[[1.0, 0.05]], &[0]);
    // Votes: 1 against 2 exp((0.6 - 1) / T), roughly.
    let with = |temperature| {
        accuracy(
            &Knn {
                k: vec![3],
                temperature: vec![temperature],
                ..Knn::default()
            },
            &train,
            &test,
        )
    };
    assert_eq!((with(0.1), with(10.0)), (1.0, 0.0));
}

#[test]
fn lists_are_judged_as_their_values_are_alone_and_leaving_one_out_as_without_it() {
    let clusters = |count: i64, seed: i64| {
        let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(3);
        let centres = unit_rows(3, 6, Kind::Float, 1).index_select(0, &labels);
        let values = centres + unit_rows(count, 6, Kind::Float, seed) * 1.2;
        Features { values, labels }
    };
    let on = LabelledFeatures {
        train: clusters(90, 2),
        test: clusters(60, 3),
        classes: 3,
        class_names: vec![],
    };
    let of = |k: &[usize], temperature: &[f64]| Knn {
        k: k.to_vec(),
        temperature: temperature.to_vec(),
        ..Knn::default()
    };
    let list = of(&[5, 1, 40], &[0.1, 2.0]);
    let others = list.others(ACCURACY, (&on.train, &on.test), 3);
    assert_eq!(others.len(), 5);
    for (metric, (k, temperature)) in others.iter().zip(&list.settings()[1..]) {
        assert_eq!(metric.name, format!("accuracy@k={k},t={temperature}"));
        let alone = Score::of(
            &of(&[*k], &[*temperature]).predict(&on.train, &on.test, 3),
            &on.test.labels,
            3,
        );
        assert_eq!(metric.value, 100.0 * alone.accuracy, "{}", metric.name);
    }
    assert_eq!(
        of(&[1, 5], &[0.1]).others(ACCURACY, (&on.train, &on.test), 3)[0].name,
        "accuracy@k=5"
    );

    let without = |index: i64| {
        let others: Vec<i64> = (0..90).filter(|&other| other != index).collect();
        let one = on.train.select(&Tensor::from_slice(&[index]));
        let predicted = list.predict(&on.train.select(&Tensor::from_slice(&others)), &one, 3);
        predicted == one.labels
    };
    let right = (0..90).filter(|&index| without(index)).count();
    assert_eq!(list.of_the_others(&on).value, 100.0 * right as f64 / 90.0);
}

#[test]
fn an_option_may_be_a_list() {
    use fmicl_core::{Part, toml};
    let read = |text: &str| {
        let part = Part::<dyn Evaluation>::new("knn", text.parse::<toml::Table>().unwrap());
        part.map(|part| format!("{:?}", part.share()))
            .map_err(|error| error.to_string())
    };
    assert!(
        read("k = [1, 20]\ntemperature = 1")
            .unwrap()
            .contains("k: [1, 20], temperature: [1.0]")
    );
    assert_eq!(read("k = []").unwrap_err(), "k: has no number; 200 is the default");
    assert_eq!(read("k = [5, 5]").unwrap_err(), "k: 5 is there twice");
    assert_eq!(
        read("k = \"many\"").unwrap_err(),
        "k: invalid type: string \"many\", expected usize"
    );
}

#[test]
fn it_obeys_the_laws() {
    for (held_out, leave_one_out) in [(0.0, true), (0.2, true)] {
        fmicl_core::testing::check_labelled_evaluation(&Knn {
            held_out,
            leave_one_out,
            k: vec![20, 5],
            ..Knn::default()
        });
    }
}
