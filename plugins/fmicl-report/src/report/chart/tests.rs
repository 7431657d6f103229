//! Charts of all kinds of values.

use super::*;

fn chart(points: &[[f64; 2]]) -> Chart {
    Chart {
        title: "<loss>".into(),
        note: String::new(),
        x: "epoch".into(),
        y: String::new(),
        lines: vec![Line {
            name: "a\"b".into(),
            colour: 9,
            points: points.to_vec(),
            form: Form::Line,
        }],
        legend: true,
    }
}

#[test]
fn a_line_ends_where_a_value_is_missing_and_a_point_alone_is_a_dot() {
    let nan = f64::NAN;
    let html = chart(&[[1.0, 2.0], [2.0, 3.0], [3.0, nan], [4.0, 5.0]]).html(7);
    assert_eq!(
        (html.matches("<path d=\"M").count(), html.matches("<circle").count()),
        (2, 1),
        "{html}"
    );
    assert!(html.contains("&lt;loss&gt;") && !html.contains("<loss>") && html.contains("a&quot;b"));
    assert!(html.contains("class=\"series c1 d1\" data-series=\"9\"") && html.contains("data-chart=\"7\""));
}

#[test]
fn whatever_the_values_no_coordinate_is_other_than_a_number() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for points in [
        &[][..],
        &[[1.0, nan]],
        &[[1.0, inf], [2.0, -inf]],
        &[[1.0, 0.0]],
        &[[3.0, 7.0], [3.0, 7.0]],
        &[[1.0, f64::MAX], [2.0, f64::MIN]],
        &[[1.0, 1e-320], [2.0, 2e-320]],
        &[[1e15, 1e300], [2e15, -1e-300]],
    ] {
        let chart = chart(points);
        let html = chart.html(0);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{points:?}: {html}");
        assert!(
            chart.data()["axes"].as_array().unwrap().iter().all(Value::is_number),
            "{points:?}"
        );
    }
}

#[test]
fn the_script_gets_the_numbers_as_they_are() {
    let data = chart(&[[1.0, 0.1], [2.0, f64::NAN], [3.0, 1e-7]]).data();
    assert_eq!(data["lines"][0]["x"].to_string(), "[1,3]");
    assert_eq!(data["lines"][0]["y"].to_string(), "[0.1,1e-7]");
}
