//! Files of triplets as people have them.

use super::*;

fn open(files: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |(name, text): (usize, &&str)| {
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let path = Paths(files.iter().enumerate().map(write).collect());
    let samples = Triplets { path }.open(Split::Pretrain);
    let shown = format!("{}/", folder.path().display());
    let samples = samples.map_err(|error| error.to_string().replace(&shown, ""))?;
    let row = |index| samples.texts(index).unwrap().into_iter().map(Cow::into_owned).collect();
    Ok((0..samples.len()).map(row).collect())
}

#[test]
fn a_row_is_two_or_three_sentences() {
    let three = open(&["sent0,sent1,hard_neg\na,\"b, c\",d\n", "x,y,z\np,q,r\n"]).unwrap();
    assert_eq!(three, [["a", "b, c", "d"], ["p", "q", "r"]]);
    assert_eq!(open(&["sent0,sent1\na,b\nc,d"]).unwrap(), [["a", "b"], ["c", "d"]]);
}

#[test]
fn a_first_row_of_sentences_is_a_triplet_and_one_of_names_a_header() {
    let row = "p,q,r\n";
    for first in [
        "A dog runs,Dogs,Cats",
        "Yes.,Sure,No",
        "\"Left, right\",b,c",
        "狗跑。,狗,猫",
    ] {
        let rows = open(&[&format!("{first}\n{row}")]).unwrap();
        assert_eq!(
            (rows.len(), &*rows[1]),
            (2, &["p", "q", "r"].map(String::from)[..]),
            "{first}"
        );
    }
    for first in [
        "sent0,sent1,hard_neg",
        "Anchor,Positive,Hard negative",
        "Sentence 1,Sentence 2,Of a cat",
        "s,t,u",
    ] {
        assert_eq!(
            open(&[&format!("{first}\n{row}")]).unwrap(),
            [["p", "q", "r"]],
            "{first}"
        );
    }
    let scores = open(&["A dog runs.,A cat.,3.8\nc,d,0\n"]).unwrap_err();
    assert!(
        scores.ends_with("pairs with scores are of the dataset stsb-csv"),
        "{scores}"
    );
}

#[test]
fn columns_are_found_by_name_in_objects_and_among_many() {
    for text in [
        "{\"id\": 1, \"Positive\": \"b\", \"anchor\": \"a\", \"negative\": \"c\"}\n\
         {\"id\": 2, \"Positive\": \"q\", \"anchor\": \"p\", \"negative\": \"r\"}\n",
        "id;negative;Positive;anchor\n1;c;b;a\n2;r;q;p\n",
        "negative,anchor,positive\nc,a,b\nr,p,q\n",
        "[\"a\", \"b\", \"c\"]\n[\"p\", \"q\", \"r\"]\n",
    ] {
        assert_eq!(open(&[text]).unwrap(), [["a", "b", "c"], ["p", "q", "r"]], "{text}");
    }
    let simcse = open(&["{\"sent0\": \"a\", \"sent1\": \"b\"}\n"]).unwrap();
    assert_eq!(simcse, [["a", "b"]]);
    for text in ["id,question,answer\n7,a,b\n", "answer,question\nb,a\n"] {
        assert_eq!(open(&[text]).unwrap(), [["a", "b"]], "{text}");
    }
    let other = open(&["question,answer,wrong\na,b,c\n"]).unwrap();
    assert_eq!(other, [["a", "b", "c"]]);
}

/// `train.py` of SimCSE, by way of pandas.
#[test]
fn the_file_of_simcse_is_read_as_simcse_reads_it() {
    let rows = open(&["sent0,sent1,hard_neg\r\n\
        \"Yes, he said \"\"no\"\".\",He said: no.,\"Two\nlines, one field.\"\r\n\
        None,n/a,caf\u{e9}\r\n\r\n\
        left, ,out\r\n"]);
    let expected = [
        ["Yes, he said \"no\".", "He said: no.", "Two\nlines, one field."],
        ["None", "n/a", "caf\u{e9}"],
    ];
    assert_eq!(rows.unwrap(), expected);
}

#[test]
fn rows_without_a_sentence_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.csv");
    std::fs::write(&file, "sent0,sent1,hard_neg\na,b,c\np,q,\nr,s,\n,t,u\n").unwrap();
    let samples = read(std::slice::from_ref(&file), "path").unwrap();
    let expected = "3 rows without a sentence are left out, 2 of them without their hard negative alone";
    assert_eq!(
        (samples.len(), samples.notes()),
        (1, vec![format!("{}: {expected}", file.display())])
    );
    std::fs::write(&file, "sent0,sent1\na,b\np,\n").unwrap();
    let samples = read(&[file], "path").unwrap();
    assert!(
        samples.notes()[0].ends_with(": 1 rows without a sentence are left out"),
        "{:?}",
        samples.notes()
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let error = |files: &[&str]| open(files).err().unwrap();
    assert_eq!(
        error(&["a,b,c\nd,e\n"]),
        "0.csv: line 2: 2 fields where the first row has 3"
    );
    let wanted = "wanted are two or three, or a header with sentence1 (or sent0, ";
    for (text, found) in [
        ("a\nb\n", "a"),
        ("a,b,c,d\n", "a, b, c, d"),
        ("{\"id\": 1, \"text\": \"a\"}\n", "id, text"),
    ] {
        let error = error(&[text]);
        assert!(
            error.starts_with(&format!("0.csv: line 1: has the columns {found}; {wanted}")),
            "{error}"
        );
    }
    let expected = "1.csv: line 1: columns: 2; the files before have 3";
    assert_eq!(error(&["a,b,c\np,q,r\n", "a,b\np,q\n"]), expected);
    let scores = error(&["s,t,score\na,b,3.8\nc,d,0\n"]);
    assert!(
        scores.ends_with("pairs with scores are of the dataset stsb-csv"),
        "{scores}"
    );
    assert!(error(&["sent0,sent1,hard_neg\n"]).starts_with("0.csv: has no row; it should be a CSV, TSV or JSONL file"));
}
