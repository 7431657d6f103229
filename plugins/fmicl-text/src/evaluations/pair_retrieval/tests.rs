use super::*;
use fmicl_core::LabelledFeatures;
use fmicl_core::testing::unit_rows;

/// An encoder that has these features for the sentences in order.
struct Fixed(Tensor);

impl Representation for Fixed {
    fn encode(&self, samples: Arc<dyn Samples>) -> Result<Tensor> {
        Ok(self.0.narrow(0, 0, samples.len() as i64).shallow_clone())
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        Err(Error::Run("there are no labels".into()))
    }
}

/// The part, with `text` as its file.
fn part(text: &str, k: &[usize]) -> (tempfile::TempDir, PairRetrieval) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.csv");
    std::fs::write(&path, text).unwrap();
    let data = Paths(vec![path]);
    (folder, PairRetrieval { data, k: k.to_vec() })
}

fn judge(text: &str, k: &[usize], features: &Tensor) -> Report {
    let (_folder, part) = part(text, k);
    part.open().unwrap().judge(&Fixed(features.shallow_clone())).unwrap()
}

/// By definition, a query at a time, of rows of unit length: recalls and mean average precision in percent.
fn naive(pairs: &[(usize, usize)], others: &[usize], features: &[Vec<f64>], k: &[usize]) -> Vec<f64> {
    let mut gallery: Vec<usize> = pairs.iter().map(|pair| pair.1).chain(others.iter().copied()).collect();
    gallery.sort();
    gallery.dedup();
    let mut queries: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    queries.sort();
    queries.dedup();
    let mut sums = vec![0.0; k.len() + 1];
    for query in &queries {
        let cosine = |other: &usize| {
            features[*query]
                .iter()
                .zip(&features[*other])
                .map(|(a, b)| a * b)
                .sum::<f64>()
        };
        let mut ranked = gallery.clone();
        ranked.sort_by(|a, b| cosine(b).total_cmp(&cosine(a)));
        let right: Vec<bool> = ranked.iter().map(|other| pairs.contains(&(*query, *other))).collect();
        for (sum, k) in sums.iter_mut().zip(k) {
            *sum += f64::from(u8::from(right[..*k].contains(&true)));
        }
        let hits: Vec<usize> = (0..right.len()).filter(|rank| right[*rank]).collect();
        let precisions = hits
            .iter()
            .zip(1..)
            .map(|(rank, count)| f64::from(count) / (rank + 1) as f64);
        sums[k.len()] += precisions.sum::<f64>() / hits.len() as f64;
    }
    sums.into_iter().map(|sum| 100.0 * sum / queries.len() as f64).collect()
}

#[test]
fn it_is_the_definition_by_a_naive_ranking_both_ways() {
    // Sentences of the first column repeat, as do some of the second; every third column is new or a second one.
    let rows: Vec<[usize; 3]> = (0..40)
        .map(|n| [n % 13, 100 + n * 7 % 29, if n % 2 == 0 { 200 + n } else { 100 + n % 5 }])
        .collect();
    let text: String = rows.iter().map(|[a, b, c]| format!("s{a}.,s{b}.,s{c}.\n")).collect();
    let mut order = Vec::new();
    for number in rows.iter().flatten() {
        if !order.contains(number) {
            order.push(*number);
        }
    }
    let at = |number: &usize| order.iter().position(|other| other == number).unwrap();
    let features = unit_rows(order.len() as i64, 4, Kind::Float, 3);
    let values = Vec::<Vec<f64>>::try_from(features.to_kind(Kind::Double)).unwrap();
    let there: Vec<_> = rows.iter().map(|[a, b, _]| (at(a), at(b))).collect();
    let back: Vec<_> = there.iter().map(|(a, b)| (*b, *a)).collect();
    let thirds: Vec<_> = rows.iter().map(|row| at(&row[2])).collect();
    let k = [1, 3, 10];
    // Lengths are of no account.
    let report = judge(&text, &k, &(features * 7.0));
    let expected = [naive(&there, &thirds, &values, &k), naive(&back, &[], &values, &k)].concat();
    let found: Vec<f64> = report.metrics.iter().map(|metric| metric.value).collect();
    assert_eq!(found.len(), 8);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
    assert!(found[0] > 0.0 && found[2] < 100.0 && found[0] != found[4]);
}

#[test]
fn of_equal_cosines_the_one_that_came_first_is_nearer() {
    // All features are the same: b comes before d, so that a finds b first and c finds d second.
    let same = Tensor::ones([4, 3], (Kind::Float, fmicl_core::tch::Device::Cpu));
    let report = judge("a.,b.\nc.,d.\n", &[1, 2], &same);
    let values: Vec<_> = report.metrics.iter().map(|metric| metric.value).collect();
    assert_eq!(values, [50.0, 100.0, 75.0, 50.0, 100.0, 75.0]);
}

#[test]
fn the_report_has_the_metrics_that_were_told_and_an_interval_of_recall() {
    let (_folder, part) = part("question,answer\na b,c d\ne f,g h\n", &[2, 1]);
    let task = part.open().unwrap();
    let report = task.judge(&Fixed(unit_rows(4, 3, Kind::Float, 1))).unwrap();
    let told = task.metrics(false);
    let names: Vec<_> = report.metrics.iter().map(|metric| metric.name.clone()).collect();
    assert_eq!((&report.main, names), (&told.main, told.all));
    assert_eq!(report.main, "recall@2");
    assert!(report.metrics[0].hits.is_some() && report.metrics[2].hits.is_none());
    let expected = "pair-retrieval: 2 first sentences find theirs among 2, by cosine; reverse: 2 second ones among 2.";
    assert_eq!(report.notes, [expected]);
}

#[test]
fn hard_negatives_are_ranked_and_said() {
    let report = judge("a.,b.,c.\nd.,e.,b.\n", &[1], &unit_rows(5, 3, Kind::Float, 1));
    assert_eq!(report.notes[1], "1 of those that are ranked are hard negatives alone.");
}

#[test]
fn rows_without_a_sentence_are_counted_in_the_report() {
    let features = unit_rows(6, 3, Kind::Float, 1);
    let report = judge("sent0,sent1,hard_neg\na,b,c\nd,e,\nf,g,h\n", &[1], &features);
    let expected = "pairs.csv: 1 rows without a sentence are left out, 1 of them without their hard negative alone.";
    assert!(report.notes.last().unwrap().ends_with(expected), "{:?}", report.notes);
}

#[test]
fn what_is_wrong_is_one_line() {
    let error = |text: &str, k: &[usize]| {
        let (folder, part) = part(text, k);
        let error = part.open().err().unwrap().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    let expected = "pairs.csv: has 2 sentences to rank, fewer than the 3 of `k`; give a smaller one";
    assert_eq!(error("a.,b.\nc.,d.\n", &[1, 3]), expected);
    assert!(error("a.,b.,1\nc.,d.,2\n", &[1]).contains("pairs with scores are of the dataset stsb-csv"));
    let missing = PairRetrieval::default().open().err().unwrap().to_string();
    assert_eq!(
        missing,
        "data: is missing: set it, by --data or in the experiment, to a CSV, TSV or JSONL file with two or three columns: sentence, positive, hard negative"
    );
    let zero = PairRetrieval {
        k: vec![0],
        ..PairRetrieval::default()
    };
    assert_eq!(zero.validate().unwrap_err().to_string(), "k: 0 is not at least 1");
    let (_folder, part) = part("a.,b.\nc.,d.\n", &[1]);
    let infinite = Fixed(Tensor::from(f32::NAN) * unit_rows(4, 3, Kind::Float, 1));
    let error = part.open().unwrap().judge(&infinite).unwrap_err().to_string();
    assert!(error.ends_with("it has diverged"), "{error}");
}
