//! The demonstration, which is the first thing that anybody sees of Covey.

use covey_tests::process::Home;

/// The steps that a README quotes or the demonstration prints, without what differs each time.
fn steps(text: &str) -> Vec<String> {
    let is_step = |line: &&str| {
        let number = line.trim_start().split_once(". ").map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<u8>().is_ok()) && line.ends_with("✓")
    };
    text.lines().filter(is_step).map(without_brackets).collect()
}

/// What stands in brackets differs each time.
fn without_brackets(line: &str) -> String {
    match (line.split_once(" ("), line.split_once(')')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => line.to_owned(),
    }
}

#[tokio::test]
async fn the_demonstration_does_what_the_readme_shows() {
    let outcome = Home::new("Demo").await.run(&["demo", "--once"]).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let done = steps(&outcome.out);
    assert!(outcome.out.contains(&format!("All {} steps checked", done.len())), "{outcome:?}");
    let readme = std::fs::read_to_string("../README.md").unwrap();
    let shown = steps(&readme);
    assert!(shown.len() > 10 && shown.last() == done.last(), "{shown:?}");
    for step in shown {
        assert!(done.contains(&step), "README.md shows {step:?}, and the demonstration {done:#?}");
    }
}
